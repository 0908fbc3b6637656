import Basics
import Configuration
import Datasets
import Files
import Glibc
import HDF5
import LinearAlgebra
import MPI
import Models
import Networks
import Reports

/// Writes a model's outputs and decisions for each sample of a data set, in the order of the samples. Collective.
///
/// - Parameters:
///   - modelPath: a model.h5.
///   - dataPath: the data set. Its labels, if there are any, are not used.
///   - settings: how to read it.
///   - outputPath: a .csv or .h5 file.
///   - force: whether an existing output may be replaced.
/// - Throws: a shared `Failure` where a file can't be read or written, or the data don't fit the model.
public func predict(
  modelPath: String, dataPath: String, settings: [DataSetting], outputPath: String, force: Bool,
  isQuiet: Bool, over ranks: borrowing Communicator
) throws -> ExitStatus {
  guard let format = PredictionFormat(path: outputPath) else {
    throw Failure(.usage, "\(outputPath): the output's name must end in .csv or .h5.", isShared: true)
  }
  let console = Console(isQuiet: isQuiet, ranks)
  let model = try Model.read(modelPath, console, over: ranks)
  let data = try model.data(settings, over: ranks)
  let source = data.source(dataPath)
  let output = try PendingFile(
    outputPath, force: force, keeping: [modelPath] + source.inputPaths, over: ranks)
  var dataset = try model.samples(
    source, data, settings, needsLabels: false, modelPath: modelPath, console, over: ranks)
  dataset.mergedWarning(dataPath).map(console.warn)

  let scores = model.scores(&dataset)
  let samples = dataset.partition.samples
  let range = dataset.range
  console.progress("writing \(outputPath)")
  switch format {
  case .csv:
    try output.writeInOrder(PredictionText(model).lines(scores, withHeader: ranks.isRoot), over: ranks)
  case .hdf5:
    try model.write(scores, range, samples: samples, to: output, over: ranks)
  }
  console.print("\(outputPath): \(counted(samples, "prediction"))")
  if model.network.widths[model.network.L] == 1, let names = model.classNames {
    let what = model.network.loss.hasProbabilities ? "score and probability are those" : "score is that"
    console.print("The \(what) of the class \(quoted(names[1])), against \(quoted(names[0])).")
  }
  return .done
}

/// How predictions are stored.
private enum PredictionFormat {
  case csv
  case hdf5

  init?(path: String) {
    switch path.lowercased() {
    case let name where name.hasSuffix(".csv"): self = .csv
    case let name where name.hasSuffix(".h5") || name.hasSuffix(".hdf5"): self = .hdf5
    default: return nil
    }
  }
}

/// Predictions as lines of text: the outputs, what probabilities they stand for, if any, and the class; for a
/// regression the predicted target.
private struct PredictionText {
  private let header: [String]
  private let classNames: [String]?
  private let mean: Float
  private let scale: Float
  /// What has probabilities.
  private let loss: Loss?

  init(_ model: borrowing Model) {
    switch model.meaning {
    case .target(let mean, let scale):
      (self.mean, self.scale, classNames, loss) = (mean, scale, nil, nil)
      header = ["prediction"]
    case .classes(let names):
      (mean, scale) = (0, 1)
      let quoted = names.map(csvField)
      classNames = quoted
      loss = model.network.loss.hasProbabilities ? model.network.loss : nil
      let isSingle = model.network.widths[model.network.L] == 1
      let kinds = loss == nil ? ["score"] : ["score", "probability"]
      let outputs = kinds.flatMap { kind in isSingle ? [kind] : names.map { csvField("\(kind) \($0)") } }
      header = outputs + ["class"]
    }
  }

  /// A line a sample, column by column of `scores`. Local.
  func lines(_ scores: borrowing Matrix<Float>, withHeader: Bool) -> [UInt8] {
    var text: [UInt8] = []
    if withHeader { text += Array(header.joined(separator: ",").utf8) + [UInt8(ascii: "\n")] }
    text.reserveCapacity(text.count + scores.columns * (scores.rows * 12 + 8))
    for j in 0..<scores.columns {
      for i in 0..<scores.rows {
        if i > 0 { text.append(UInt8(ascii: ",")) }
        text.append(contentsOf: (mean + scale * scores[i, j]).description.utf8)
      }
      if let loss {
        for probability in loss.probabilities(scores.all.column(j), outputs: scores.rows) {
          text.append(UInt8(ascii: ","))
          text.append(contentsOf: probability.description.utf8)
        }
      }
      if let classNames {
        text.append(UInt8(ascii: ","))
        text.append(
          contentsOf: classNames[Scoring.decision(scores.all.column(j), outputs: scores.rows)].utf8)
      }
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }
}

extension Loss {
  /// Of each output's class. Local.
  fileprivate func probabilities(_ z: UnsafePointer<Float>, outputs: Int) -> [Float] {
    let classes = outputs == 1 ? 1..<2 : 0..<outputs
    return classes.map { Float(exp(logProbability(z, of: $0, outputs: outputs))) }
  }
}

extension Model {
  /// Writes predictions as HDF5: `scores` [N, d_L], `probabilities` of the same shape where the loss has any, `classes`
  /// [N] numbering `class_names`; for a regression `predictions` [N]. Collective.
  fileprivate func write(
    _ scores: borrowing Matrix<Float>, _ range: Range<Int>, samples: Int, to output: PendingFile,
    over ranks: borrowing Communicator
  ) throws {
    let (outputs, meaning, loss) = (scores.rows, self.meaning, network.loss)
    let bytes = samples * (2 * outputs + 1) * MemoryLayout<Float>.size
    let entries = UnsafeBufferPointer(start: scores.base, count: scores.count)
    let columns = (0..<scores.columns).map { scores.all.column($0) }
    try output.writeSealedHDF5(bytes: bytes, texts: classNames ?? [], over: ranks) { outline in
      guard case .classes(let names) = meaning else {
        return [try outline.reserve("predictions", of: Float.self, shape: [samples])]
      }
      try outline.write(names, to: "class_names")
      let kinds = loss.hasProbabilities ? ["scores", "probabilities"] : ["scores"]
      return try kinds.map { try outline.reserve($0, of: Float.self, shape: [samples, outputs]) } + [
        outline.reserve("classes", of: Int32.self, shape: [samples])
      ]
    } fill: { reserved, file in
      if case .target(let mean, let scale) = meaning {
        let predictions = entries.map { mean + scale * $0 }
        return try predictions.withUnsafeBufferPointer { try reserved[0].write(range, from: $0, to: file) }
      }
      try reserved[0].write(range, from: entries, to: file)
      if loss.hasProbabilities {
        let probabilities = columns.flatMap { loss.probabilities($0, outputs: outputs) }
        try probabilities.withUnsafeBufferPointer { try reserved[1].write(range, from: $0, to: file) }
      }
      let decisions = columns.map { Int32(Scoring.decision($0, outputs: outputs)) }
      try decisions.withUnsafeBufferPointer {
        try reserved[reserved.count - 1].write(range, from: $0, to: file)
      }
    }
  }
}
