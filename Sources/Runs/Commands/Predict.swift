import Basics
import Configuration
import Datasets
import Files
import HDF5
import LinearAlgebra
import MPI
import Models
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
  let output = try PendingFile(outputPath, force: force, over: ranks)
  let model = try Model(reading: modelPath, over: ranks)
  let data = try model.data(settings, over: ranks)
  var source = data.source(dataPath)
  // A text file of as many columns as the model has features is one without labels.
  let head = try preview(source, over: ranks)
  if head.format == CSVFormat.name && head.hasLabels && head.features == model.network.widths[0] - 1 {
    source.options[CSVFormat.self].labelColumn = .none
  }
  var dataset = try readDataset(source, task: data.task, over: ranks) {
    console.progress("reading \(dataPath)", $0)
  }
  dataset.mergedWarning(dataPath).map(console.warn)
  try model.checkFeatures(dataset.featureCount, of: dataPath, modelPath: modelPath)

  let scores = model.scores(&dataset)
  let samples = dataset.partition.samples
  let range = dataset.range
  console.progress("writing \(outputPath)")
  switch format {
  case .csv:
    try output.writeInOrder(PredictionText(model).lines(scores, withHeader: ranks.isRoot), over: ranks)
  case .hdf5:
    try output.writeTogether(over: ranks) {
      try model.write(scores, range, samples: samples, to: $0, over: ranks)
    }
  }
  console.print("\(outputPath): \(counted(samples, "prediction"))")
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

/// Predictions as lines of text: the outputs, then the class; for a regression the predicted target.
private struct PredictionText {
  private let header: [String]
  private let classNames: [String]?
  private let mean: Float
  private let scale: Float

  init(_ model: borrowing Model) {
    switch model.meaning {
    case .target(let mean, let scale):
      (self.mean, self.scale, classNames) = (mean, scale, nil)
      header = ["prediction"]
    case .classes(let names):
      (mean, scale) = (0, 1)
      let quoted = names.map(csvField)
      classNames = quoted
      header =
        (model.network.widths[model.network.L] == 1 ? ["score"] : names.map { csvField("score \($0)") }) + [
          "class"
        ]
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

extension Model {
  /// Writes predictions as HDF5: `scores` [N, d_L], `classes` [N] numbering `class_names`; for a regression
  /// `predictions` [N]. Collective.
  fileprivate func write(
    _ scores: borrowing Matrix<Float>, _ range: Range<Int>, samples: Int, to path: String,
    over ranks: borrowing Communicator
  ) throws {
    let file = try HDF5File(creating: path, over: ranks)
    let entries = UnsafeBufferPointer(start: scores.base, count: scores.count)
    switch meaning {
    case .classes(let names):
      let array = try file.create("scores", of: Float.self, shape: [samples, scores.rows])
      try array.write(range, from: entries, over: ranks)
      let decisions = (0..<scores.columns).map {
        Int32(Scoring.decision(scores.all.column($0), outputs: scores.rows))
      }
      let classes = try file.create("classes", of: Int32.self, shape: [samples])
      try decisions.withUnsafeBufferPointer { try classes.write(range, from: $0, over: ranks) }
      try file.write(names, to: "class_names")
    case .target(let mean, let scale):
      let array = try file.create("predictions", of: Float.self, shape: [samples])
      let predictions = entries.map { mean + scale * $0 }
      try predictions.withUnsafeBufferPointer { try array.write(range, from: $0, over: ranks) }
    }
    try file.close()
  }
}
