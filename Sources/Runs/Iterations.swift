import Basics
import Configuration
import LinearAlgebra
import MPI
import Networks
import Reports

/// Sweeps until the last iteration or until a stop rule holds, and reports each evaluated iterate. Collective.
///
/// A run whose iterates diverge goes back a few times (`Divergences`), and at last ends with status `diverged` and the
/// weights of the best or last sound iterate.
///
/// - Parameter report: is given each evaluated iterate.
func iterate<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, _ configuration: Configuration, _ data: borrowing TrainingData,
  _ console: Console, _ phases: Phases, over ranks: borrowing Communicator,
  report: (IterationRecord) throws -> Void
) throws -> TrainingOutcome {
  let iterations = configuration.training.iterations
  let keepsBest = configuration.training.keepBest
  var pace = Pace()
  var rule = StopRule(configuration.stop)
  var outcome = TrainingOutcome(
    status: .max_iterations, last: IterationRecord(iteration: 0), best: nil,
    W: method.network.zeroWeights())
  method.copyWeights(to: &outcome.W)
  var W = outcome.W.copy()
  var replicas = Replicas()
  var divergences = Divergences()
  for iteration in 1...iterations {
    let isEvaluated = iteration % configuration.output.evaluateEvery == 0 || iteration == iterations
    console.progress("training", "iteration \(iteration) of \(iterations)")
    Progress.begin(iteration: iteration)
    let isSwept = try divergences.sweep(&method, outcome, configuration, data, console, over: ranks) { method in
      try pace.time {
        try phases.measure(.update) { try method.sweep(data.samples, over: ranks, isMeasured: isEvaluated) }
      }
    }
    guard isSwept else {
      outcome.status = .diverged
      break
    }
    guard isEvaluated else { continue }

    let outer = phases.begin(.evaluate)
    try replicas.copyWeights(of: &method, to: &W, console, iteration: iteration, over: ranks)
    let record = try record(iteration, of: &method, W, data, &pace, over: ranks)
    let fault = divergences.fault(record, W, of: method.network, data, configuration.stop)
    if fault == nil { outcome.keep(record, W, keepsBest: keepsBest) } else { outcome.last = record }
    try report(record)
    phases.begin(outer)
    let status: RunStatus? =
      if let fault {
        try divergences.goBack(
          &method, to: outcome, after: fault, isLast: iteration == iterations, configuration, data, console,
          over: ranks) ? nil : .diverged
      } else {
        rule.status(record, elapsed: pace.seconds) ?? (method.isDone ? .converged : nil)
      }
    if let status {
      outcome.status = status
      break
    }
  }
  Progress.begin(iteration: 0)
  outcome.iterations = method.sweeps
  outcome.work = method.work
  if !keepsBest { outcome.best = nil }
  phases.move(method.seconds.solve, from: .update, to: .solve)
  phases.move(method.seconds.reduce, from: .update, to: .reduce)
  phases.move(method.seconds.sum, from: .update, to: .sum)
  return outcome
}

/// What is known of the last sweep, which was measured. Collective.
private func record<Method: TrainingMethod & ~Copyable>(
  _ iteration: Int, of method: inout Method, _ W: borrowing Layers<Matrix<Float>>,
  _ data: borrowing TrainingData, _ pace: inout Pace, over ranks: borrowing Communicator
) throws -> IterationRecord {
  try pace.agree(over: ranks)
  var record = IterationRecord(
    iteration: iteration, try method.progress(over: ranks), seconds: pace.seconds)
  let passes = method.work.samples / Double(data.samples.partition.samples)
  if passes != Double(iteration) { record.passes = passes }
  try record.addQuality(of: W, method.network, data, over: ranks)
  record.gflops_per_rank = pace.gflopsPerRank(method.work, ranks: ranks.size)
  record.notes = method.events
  method.events = []
  return record
}

extension TrainingOutcome {
  /// Takes over an evaluated iterate, and its weights where they are the ones to keep. Local.
  fileprivate mutating func keep(
    _ record: IterationRecord, _ W: borrowing Layers<Matrix<Float>>, keepsBest: Bool
  ) {
    let isBest = best.map { record.isPreferred(to: $0) } ?? true
    if isBest { best = record }
    if isBest || !keepsBest { self.W.assign(W) }
    last = record
  }
}

/// How long training has taken so far, and how fast it goes.
private struct Pace {
  /// Of the sweeps: this rank's, or after `agree` the slowest rank's.
  private(set) var seconds = 0.0
  /// What there was when the speed was last asked for.
  private var last = (flops: 0.0, seconds: 0.0)

  /// Adds the time that `body` takes, unless it throws.
  mutating func time(_ body: () throws -> Void) rethrows {
    let start = monotonicSeconds()
    try body()
    seconds += monotonicSeconds() - start
  }

  /// Makes the time that of the slowest rank, the same number on all. Collective.
  mutating func agree(over ranks: borrowing Communicator) throws { seconds = try ranks.max(seconds) }

  /// Useful operations a second since this was last asked, in 10⁹, for each rank.
  mutating func gflopsPerRank(_ work: SweepWork, ranks: Int) -> Double {
    defer { last = (work.flops, seconds) }
    return (work.flops - last.flops) / Double(ranks) / (seconds - last.seconds) / 1e9
  }
}
