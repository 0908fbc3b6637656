import Basics
import Configuration
import LinearAlgebra
import MPI
import Models
import Networks
import Optimizers
import Reports
import Runs

/// Trains once, from nothing but the data, and evaluates. Collective.
///
/// - Parameter report: is given each evaluated iterate.
func studyRun(
  _ configuration: Configuration, _ data: borrowing TrainingData, _ measure: StudyMeasure, _ console: Console,
  over ranks: borrowing Communicator, report: (IterationRecord) throws -> Void
) throws -> StudyRun {
  // Its own clock, for the time of the start values.
  let phases = Phases()
  let seed = configuration.training.seed
  let network = configuration.network(features: data.samples.featureCount, outputs: data.samples.outputs)
  try checkMemory(
    configuration.stateBytes(network, samples: data.samples.count), beside: data.heldBytes, over: ranks)
  var records: [IterationRecord] = []
  do {
    let outcome = try trainNetwork(network, configuration, data, console, phases, over: ranks) { record in
      records.append(record)
      try report(record)
    }
    if records.isEmpty {
      // Diverged at once: what it would leave is its start.
      var record = IterationRecord(iteration: 0)
      try record.addQuality(of: outcome.W, network, data, over: ranks)
      records.append(record)
      try report(record)
    }
    return StudyRun(
      seed: seed, status: outcome.status, records: records,
      auc: try data.binaryAUC(of: outcome.W, network, measure.part, over: ranks),
      startSeconds: try ranks.max(phases[.start]))
  } catch let failure as Failure where failure.status == .numericalFailure && failure.isShared {
    // Not even a start: an iterate without a number.
    console.warn(failure.message)
    if records.isEmpty {
      records.append(IterationRecord(iteration: 0))
      try report(records[0])
    }
    return StudyRun(
      seed: seed, status: .diverged, records: records, startSeconds: try ranks.max(phases[.start]))
  }
}

/// The model that a network must beat, as an entry with one iterate: one pass over the data. Collective.
///
/// - Parameter data: gets the targets of least squares.
func linearEntry(
  _ data: inout TrainingData, _ measure: StudyMeasure, _ log: Log, _ console: Console,
  over ranks: borrowing Communicator
) throws -> StudyEntry {
  console.progress("fitting a linear model")
  data.setTargets(for: .square)
  try ranks.barrier()
  let start = monotonicSeconds()
  let linear = try advising(NumericalError.dataAdvice) { try LinearModel(data.samples, over: ranks) }
  var record = IterationRecord(iteration: 1, seconds: try ranks.max(monotonicSeconds() - start))
  try record.addQuality(of: linear.W, linear.network, data, over: ranks)
  let auc = try data.binaryAUC(of: linear.W, linear.network, measure.part, over: ranks)
  let (name, method) = (CompareRequest.linearModel, "linear")
  log.append(record.seriesLine(name: name, method: method, seed: nil))
  return StudyEntry(
    name: name, method: method, runs: [StudyRun(seed: nil, status: nil, records: [record], auc: auc)])
}

extension TrainingData {
  /// The area under the ROC curve for two classes; nil for other tasks. Collective.
  fileprivate func binaryAUC(
    of W: borrowing Layers<Matrix<Float>>, _ network: Network, _ part: DataPart,
    over ranks: borrowing Communicator
  ) throws -> Double? {
    guard classNames?.count == 2, let set = set(part) else { return nil }
    let scores = Scoring.scores(network, W, set.a0)
    return try Evaluation(of: scores.all, labels: set.labels, loss: network.loss, over: ranks).auc
  }
}
