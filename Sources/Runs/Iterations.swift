import Basics
import Configuration
import LinearAlgebra
import MPI
import Networks
import Reports

/// Sweeps until the last iteration or until a stop rule holds, and reports each evaluated iterate. Collective.
///
/// A run whose iterates diverge goes back a few times (`Divergences`), and at last ends with status `diverged` and the
/// weights of the best or last sound iterate; one that has to end early (`RunClock`), with those of the iteration at
/// hand or of a better one.
///
/// - Parameters:
///   - progress: how far it has come, from which it goes on.
///   - keeper: keeps what is reached, and checkpoints; nil for training that is part of something else.
///   - report: is given each evaluated iterate.
func iterate<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, _ progress: inout TrainingProgress, _ configuration: Configuration,
  _ data: borrowing TrainingData, _ console: Console, _ phases: Phases, keeper: RunKeeper?,
  over ranks: borrowing Communicator, report: (IterationRecord) throws -> Void
) throws {
  let iterations = configuration.training.iterations
  var W = method.network.zeroWeights()
  while progress.iteration < iterations {
    let iteration = progress.iteration + 1
    let isEvaluated = iteration % configuration.output.evaluateEvery == 0 || iteration == iterations
    console.progress("training", "iteration \(iteration) of \(iterations)")
    Progress.begin(iteration: iteration)
    guard
      try sweep(
        &method, &progress, configuration, data, console, phases, keeper, isMeasured: isEvaluated, over: ranks
      )
    else { break }
    progress.iteration = iteration
    if isEvaluated,
      let status = try evaluate(
        &method, &progress, &W, configuration, data, console, phases, keeper, over: ranks, report)
    {
      progress.outcome.status = status
      break
    }
    guard iteration < iterations else { break }
    let earlyEnd = RunClock.earlyEnd(ranks.notices)
    if let keeper, earlyEnd != nil || keeper.isCheckpointDue(after: iteration, ranks.notices) {
      try keeper.writeCheckpoint(of: &method, &progress, data, over: ranks)
    }
    if let earlyEnd {
      progress.outcome.status = earlyEnd
      if !isEvaluated {
        _ = try evaluate(
          &method, &progress, &W, configuration, data, console, phases, keeper, isMeasured: false,
          over: ranks, report)
      }
      break
    }
  }
  if let keeper, configuration.checkpoint.atEnd, !progress.outcome.status.isEarly,
    progress.outcome.status != .diverged
  {
    try keeper.writeCheckpoint(of: &method, &progress, data, over: ranks)
  }
  Progress.begin(iteration: 0)
  progress.finish(method, phases, keepsBest: configuration.training.keepBest)
}

/// Does the next sweep, where it diverges from further back. Collective.
///
/// - Returns: whether it was done; else the run has diverged.
private func sweep<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, _ progress: inout TrainingProgress, _ configuration: Configuration,
  _ data: borrowing TrainingData, _ console: Console, _ phases: Phases, _ keeper: RunKeeper?,
  isMeasured: Bool,
  over ranks: borrowing Communicator
) throws -> Bool {
  while true {
    do {
      let seconds = try progress.pace.time {
        try phases.measure(.update) { try method.sweep(data.samples, over: ranks, isMeasured: isMeasured) }
      }
      keeper?.clock.noteSweep(seconds)
      return true
    } catch let error as NumericalError {
      guard try progress.goBack(&method, after: error, configuration, data, console, over: ranks) else {
        return false
      }
    }
  }
}

/// Evaluates the iterate at hand, and keeps it where it is the one to keep. Collective.
///
/// - Parameter isMeasured: whether the last sweep was, so that the method knows its objective.
/// - Returns: what ends the run now, if anything; nil of an iterate that was not measured.
private func evaluate<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, _ progress: inout TrainingProgress, _ W: inout Layers<Matrix<Float>>,
  _ configuration: Configuration, _ data: borrowing TrainingData, _ console: Console, _ phases: Phases,
  _ keeper: RunKeeper?, isMeasured: Bool = true, over ranks: borrowing Communicator,
  _ report: (IterationRecord) throws -> Void
) throws -> RunStatus? {
  let start = monotonicSeconds()
  let outer = phases.begin(.evaluate)
  defer { phases.begin(outer) }
  try progress.replicas.copyWeights(of: &method, to: &W, console, iteration: progress.iteration, over: ranks)
  let record = try record(of: &method, W, data, &progress, isMeasured: isMeasured, over: ranks)
  let fault = progress.divergences.fault(record, W, of: method.network, data, configuration.stop)
  if fault == nil { progress.outcome.keep(record, W, keepsBest: configuration.training.keepBest) }
  try report(record)
  keeper?.keep(progress.outcome, data)
  keeper?.clock.noteEvaluation(monotonicSeconds() - start)
  guard isMeasured else { return nil }
  if let fault {
    let goesOn = try progress.goBack(&method, after: fault, configuration, data, console, over: ranks)
    return goesOn ? nil : .diverged
  }
  return progress.rule.status(record) ?? (method.isDone ? .converged : nil)
}

/// What is known of the last sweep. Collective.
private func record<Method: TrainingMethod & ~Copyable>(
  of method: inout Method, _ W: borrowing Layers<Matrix<Float>>, _ data: borrowing TrainingData,
  _ progress: inout TrainingProgress, isMeasured: Bool, over ranks: borrowing Communicator
) throws -> IterationRecord {
  try progress.pace.agree(over: ranks)
  var record = IterationRecord(iteration: progress.iteration, seconds: progress.pace.seconds)
  if isMeasured { record.take(try method.progress(over: ranks)) }
  let passes = method.work.samples / Double(data.samples.partition.samples)
  if passes != Double(progress.iteration) { record.passes = passes }
  try record.addQuality(of: W, method.network, data, over: ranks)
  record.gflops_per_rank = progress.pace.gflopsPerRank(method.work, ranks: ranks.size)
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
