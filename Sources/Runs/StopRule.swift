import Configuration

/// When a run ends before its last iteration: [stop].
///
/// Decides from values that have the same bits on every rank, so that all ranks leave the loop together.
struct StopRule {
  private let stop: StopSection
  private var lastObjective: Double?
  private var best: IterationRecord?
  private var evaluationsSinceBest = 0

  init(_ stop: StopSection) {
    self.stop = stop
  }

  /// What ends the run after this evaluation, if anything.
  ///
  /// - Parameter elapsed: the seconds of training of the slowest rank.
  mutating func status(_ record: IterationRecord, elapsed: Double) -> RunStatus? {
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
    if let limit = stop.timeLimit, elapsed >= limit { return .time_limit }
    return nil
  }
}
