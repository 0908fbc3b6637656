import Configuration
import Sums

/// When a run ends before its last iteration: [stop].
///
/// Decides from values that have the same bits on every rank, so that all ranks leave the loop together.
struct StopRule {
  private let stop: StopSection
  /// Seconds of training; nil where there is no limit, or a `RunClock` sees to it.
  private let limit: Double?
  private var lastObjective: Double?
  private var best: IterationRecord?
  private var evaluationsSinceBest = 0

  /// - Parameter watchesTime: whether the time limit is one of training, looked at after evaluations.
  init(_ stop: StopSection, watchesTime: Bool) {
    self.stop = stop
    limit = if watchesTime, case .seconds(let seconds) = stop.timeLimit { seconds } else { nil }
  }

  /// What it remembers. Collective.
  mutating func archive(_ state: any StateArchive) throws {
    try state("last_objective", &lastObjective)
    try state("evaluations_since_best", &evaluationsSinceBest)
    try state.within("best") { try best.archive(state) }
  }

  /// What ends the run after this evaluation, if anything.
  mutating func status(_ record: IterationRecord) -> RunStatus? {
    defer { lastObjective = record.objective }
    let isBest = best.map { record.isBetter(than: $0) } ?? true
    if isBest { best = record }
    evaluationsSinceBest = isBest ? 0 : evaluationsSinceBest + 1
    if let target = stop.targetAccuracy, let reached = record.test_accuracy, reached >= target {
      return .target_reached
    }
    if let tolerance = stop.tolerance, let last = lastObjective, let objective = record.objective,
      abs(objective - last) < tolerance * abs(last)
    {
      return .converged
    }
    if let patience = stop.patience, evaluationsSinceBest >= patience { return .no_improvement }
    if let limit, record.seconds >= limit { return .time_limit }
    return nil
  }
}
