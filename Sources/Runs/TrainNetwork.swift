import Basics
import Configuration
import LinearAlgebra
import MPI
import Networks
import Reports

/// What training ends with.
package struct TrainingOutcome: ~Copyable {
  package var status: RunStatus
  /// The last evaluated iterate.
  var last: IterationRecord
  /// The best evaluated iterate (`isPreferred`), if one was asked for.
  var best: IterationRecord?
  /// The weights to keep: the best's if one was asked for, else the last's.
  package var W: Layers<Matrix<Float>>
  /// How many sweeps were done, and what they cost.
  var iterations = 0
  var work = SweepWork()
}

/// Trains a network by the configuration's method: makes its start values, goes on from a checkpoint if asked to, and
/// iterates. Collective.
///
/// - Parameters:
///   - keeper: keeps what is reached; nil for training that is part of something else.
///   - resumes: whether to go on from the newest checkpoint, if there is one.
///   - report: is given each evaluated iterate.
/// - Throws: a shared `Failure` of status `numericalFailure` where there is no start. Iterates that leave the finite
///   numbers are no failure, but the status `diverged`.
package func trainNetwork(
  _ network: Network, _ configuration: Configuration, _ data: borrowing TrainingData, _ console: Console,
  _ phases: Phases, keeper: RunKeeper? = nil, resumes: Bool = false, over ranks: borrowing Communicator,
  report: (IterationRecord) throws -> Void
) throws -> TrainingOutcome {
  console.progress("making the start values")
  var method = try phases.measure(.start) {
    try data.advising(network, over: ranks) {
      try configuration.method.start(network, data.samples, configuration.startOptions, over: ranks)
    }
  }
  var progress = TrainingProgress(network, configuration.stop, watchesTime: keeper == nil)
  progress.takeStart(of: &method)
  if let keeper {
    if resumes { try keeper.resume(&method, &progress, data, over: ranks) }
    try keeper.begin(over: ranks)
  }
  try iterate(
    &method, &progress, configuration, data, console, phases, keeper: keeper, over: ranks, report: report)
  return progress.takeOutcome()
}
