import Basics
import LinearAlgebra
import MPI
import Models
import Networks
import Optimizers
import Reports

/// What a run reached, beside what simpler models reach on the same data.
struct TrainingResults {
  /// One model on each data set that has samples.
  private struct Row {
    let name: String
    let evaluations: [Evaluation]
  }

  /// "train", "validation", "test": those that have samples.
  private let sets: [String]
  private let network, linear, constant: Row
  /// Those of [baselines], with what is known of their iterate.
  private let others: [(row: Row, record: IterationRecord?, status: RunStatus?)]
  private let last: IterationRecord
  private let bestRecord: IterationRecord?
  private let classNames: [String]?

  /// Evaluates the weights to keep and the baselines. Collective.
  init(
    _ outcome: borrowing TrainingOutcome, _ network: Network, _ linear: borrowing LinearModel,
    _ baselines: [TrainedBaseline], _ data: borrowing TrainingData, over ranks: borrowing Communicator
  ) throws {
    last = outcome.last
    bestRecord = outcome.best
    classNames = data.classNames
    sets = data.sets.map(\.part.rawValue)
    self.network = Row(
      name: outcome.best.map { "network, iteration \($0.iteration)" } ?? "network",
      evaluations: try data.evaluate(network, outcome.W, over: ranks))
    self.linear = Row(
      name: "linear model", evaluations: try data.evaluate(linear.network, linear.W, over: ranks))
    constant = Row(
      name: classNames == nil ? "mean" : "majority class",
      evaluations: try data.evaluateConstant(over: ranks))
    others = try baselines.map { baseline in
      let evaluations = try data.evaluate(baseline.network, baseline.W, over: ranks)
      return (Row(name: baseline.name, evaluations: evaluations), baseline.record, baseline.status)
    }
  }

  /// run.json: the last iterate, with the evaluation of the saved weights unless those are the best one's.
  var final: JSON { .object(merged(last, bestRecord == nil ? network : nil)) }

  /// run.json: the best iterate with its evaluation, where one was kept.
  var best: JSON? { bestRecord.map { .object(merged($0, network)) } }

  /// run.json: the models that a network must beat.
  var baselines: JSON {
    let simple = [
      JSON.Member(classNames == nil ? "mean" : "majority", .object(members(constant))),
      JSON.Member("linear", .object(members(linear))),
    ]
    return .object(
      simple
        + others.map { row, record, status in
          let said = status.map { [JSON.Member("status", .string($0.rawValue))] } ?? []
          let numbers = record.map { merged($0, row) } ?? members(row)
          return JSON.Member(row.name, .object(said + numbers))
        })
  }

  private typealias Measure = (name: String, text: @Sendable (Evaluation) -> String?)

  /// All measures; which of them an evaluation has depends on the task and the loss.
  private static let measures: [Measure] = [
    ("accuracy %", { $0.accuracy.map { percent($0) } }), ("AUC", { $0.auc.map { fixed($0, 4) } }),
    ("log-loss", { $0.log_loss.map { fixed($0, 4) } }), ("RMSE", { $0.rmse.map { significant($0, 5) } }),
    ("MAE", { $0.mae.map { significant($0, 5) } }), ("R²", { $0.r2.map { fixed($0, 4) } }),
  ]

  /// The table that ends a run's output: a row a model, a column a measure and data set.
  var lines: [String] {
    let measures = Self.measures.filter { measure in network.evaluations.contains { measure.text($0) != nil }
    }
    var table = TextTable(
      [""] + sets.flatMap { set in measures.map { "\(set) \($0.name)" } },
      [.left] + sets.flatMap { _ in measures.map { _ in .right } })
    for row in [network] + others.map(\.row) + [linear, constant] {
      table.add([row.name] + row.evaluations.flatMap { one in measures.map { $0.text(one) ?? "" } })
    }
    return [""] + table.lines + confusionLines
  }

  /// The run in one line: the model, its iterate, and what it reaches on the last data set.
  func brief(_ modelPath: String, _ outcome: RunSummary.Outcome) -> String {
    let measures = Self.measures.compactMap { measure in
      network.evaluations.last.flatMap { measure.text($0) }.map { "\(measure.name) \($0)" }
    }
    return "\(modelPath): iteration \((bestRecord ?? last).iteration) of \(outcome.iterations), "
      + "\(sets.last ?? "") \(measures.joined(separator: ", ")); \(outcome.status.rawValue)"
  }

  /// The confusion matrix on the last data set, for up to 12 classes.
  private var confusionLines: [String] {
    guard let set = sets.last, let rows = network.evaluations.last?.confusion, let names = classNames,
      rows.count <= 12
    else { return [] }
    var table = TextTable(["\(set): class \\ decision"] + names, [.left] + names.map { _ in .right })
    for (name, row) in zip(names, rows) { table.add([name] + row.map { grouped($0) }) }
    return [""] + table.lines
  }

  /// A record, and of an evaluation what the record does not say already.
  private func merged(_ record: IterationRecord, _ row: Row?) -> [JSON.Member] {
    let recorded = record.json.members
    let keys = Set(recorded.map(\.key))
    return recorded + (row.map { members($0).filter { !keys.contains($0.key) } } ?? [])
  }

  /// "train_accuracy", "test_auc" and so on.
  private func members(_ row: Row) -> [JSON.Member] {
    zip(sets, row.evaluations).flatMap { set, evaluation in
      evaluation.json.members.filter { $0.key != "samples" }.map { JSON.Member("\(set)_\($0.key)", $0.value) }
    }
  }
}

extension TrainingData {
  /// Evaluates weights on each data set that has samples. Collective.
  fileprivate func evaluate(
    _ network: Network, _ W: borrowing Layers<Matrix<Float>>, over ranks: borrowing Communicator
  ) throws -> [Evaluation] {
    var evaluations: [Evaluation] = []
    for set in sets {
      let scores = Scoring.scores(network, W, set.a0)
      evaluations.append(
        try Evaluation(of: scores.all, labels: set.labels, loss: network.loss, unit: unit, over: ranks))
    }
    return evaluations
  }

  /// Evaluates the answer that ignores the features. Collective.
  fileprivate func evaluateConstant(over ranks: borrowing Communicator) throws -> [Evaluation] {
    var evaluations: [Evaluation] = []
    for set in sets {
      evaluations.append(try Evaluation(ofConstantFrom: labels, on: set.labels, unit: unit, over: ranks))
    }
    return evaluations
  }
}
