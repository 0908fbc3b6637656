import Basics
import Configuration
import Datasets
import Files
import LinearAlgebra
import MPI
import Models
import Reports

/// Prints how well a model does on a data set with labels. Collective.
///
/// - Parameters:
///   - modelPath: a model.h5.
///   - dataPath: the data set.
///   - settings: how to read it.
///   - jsonPath: a file for the results, replaced if it is there; nil for none.
/// - Throws: a shared `Failure` where a file can't be read, or the data don't fit the model.
public func evaluate(
  modelPath: String, dataPath: String, settings: [DataSetting], jsonPath: String?, isQuiet: Bool,
  over ranks: borrowing Communicator
) throws -> ExitStatus {
  let console = Console(isQuiet: isQuiet, ranks)
  let model = try Model.read(modelPath, console, over: ranks)
  let data = try model.data(settings, over: ranks)
  let source = data.source(dataPath)
  let output = try jsonPath.map {
    try PendingFile($0, force: true, keeping: [modelPath] + source.inputPaths, over: ranks)
  }
  var dataset = try model.samples(
    source, data, settings, needsLabels: true, modelPath: modelPath, console, over: ranks)
  dataset.mergedWarning(dataPath).map(console.warn)
  let (labels, unit) = try model.labels(of: dataset, dataPath, modelPath)

  let scores = model.scores(&dataset)
  let evaluation = try Evaluation(
    of: scores.all, labels: labels, loss: model.network.loss, unit: unit, over: ranks)
  console.print("model: \(modelPath): \(model.summary)")
  console.print("data:  \(dataPath): \(counted(evaluation.samples, "sample"))")
  console.print([""] + evaluation.report(classNames: model.classNames ?? []))
  if let output {
    let result = JSON.object([
      "model": .string(modelPath), "weights_sha256": .string(model.weightsSHA256), "data": .string(dataPath),
      "classes": model.classNames.map { .array($0.map { .string($0) }) }, "result": evaluation.json,
    ])
    try output.write(result.document, over: ranks)
  }
  return .done
}

extension Model {
  /// The labels as the model's outputs have them, and the unit of a target. Local; the same outcome on every rank.
  ///
  /// - Throws: a shared `Failure` where there are no labels, or other classes than the model's.
  fileprivate func labels(
    of dataset: borrowing Dataset, _ dataPath: String, _ modelPath: String
  ) throws -> (labels: Labels, unit: Double) {
    switch (dataset.labels, meaning) {
    case (.classes(_, let names), .classes(let own)) where names == own: return (dataset.labels, 1)
    case (.classes(_, let names), .classes(let own)):
      throw Failure(
        .badData,
        "\(dataPath) is read with the classes \(names.joined(separator: ", ")), but \(modelPath) has "
          + "\(own.joined(separator: ", ")). Give --classes in the model's order, or none.", isShared: true)
    case (.targets(let targets), .target(let mean, let scale)):
      return (.targets(targets.map { ($0 - mean) / scale }), Double(scale))
    default:
      throw Failure(
        .badData,
        "\(dataPath) has no labels that fit \(modelPath). Set --label-column or --labels; predict needs no labels.",
        isShared: true)
    }
  }
}

extension Evaluation {
  /// A line a figure, and the confusion matrix.
  func report(classNames: [String]) -> [String] {
    var lines: [String] = []
    func add(_ name: String, _ value: Double?, _ text: (Double) -> String) {
      if let value { lines.append(pad(name, to: 22, .left) + text(value)) }
    }
    add("accuracy", accuracy) { percent($0) + " %" }
    add("most frequent class", confusion.flatMap { largestShare($0) }) { percent($0) + " %" }
    add("AUC", auc) { fixed($0, 4) }
    add("log-loss", log_loss) { fixed($0, 4) }
    add("RMSE", rmse) { significant($0, 5) }
    add("MAE", mae) { significant($0, 5) }
    add("R²", r2) { fixed($0, 4) }
    guard let confusion, confusion.count == classNames.count, classNames.count <= 30 else { return lines }
    let names = classNames.map { shortened($0) }
    var table = TextTable(["class \\ decision"] + names, [.left] + names.map { _ in .right })
    for (name, row) in zip(names, confusion) { table.add([name] + row.map(grouped)) }
    return lines + [""] + table.lines
  }

  private func largestShare(_ confusion: [[Int]]) -> Double? {
    let counts = confusion.map { $0.reduce(0, +) }
    return counts.max().map { Double($0) / Double(max(samples, 1)) }
  }
}
