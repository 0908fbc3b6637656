import Basics
import MPI

/// What time and signals ask of a run: whether it must end early, and whether a checkpoint is due. Each rank says what
/// it knows with the next sums, so that all decide alike, after the same iteration.
package final class RunClock {
  /// The words that ranks add up.
  private enum Word: Int, CaseIterable {
    /// How many ranks have had a signal.
    case signalled
    /// Whether rank 0 sees the end of the time.
    case isTimeUp
    /// Whether rank 0 wants a checkpoint.
    case isCheckpointDue
  }

  /// A checkpoint takes this share of the time at the most, or comes later.
  static let checkpointShare = 0.01

  private let clock: () -> Double
  private let isRoot: Bool
  /// On this clock; nil for none.
  private let end: Double?
  /// Seconds between checkpoints; nil for none by time.
  private let interval: Double?
  private var lastCheckpoint: Double
  /// Seconds of the last sweeps, of the last evaluation and of the last checkpoint, which is guessed before the first.
  private var sweep = 0.0
  private var evaluation = 0.0
  private var checkpoint: Double

  /// - Parameters:
  ///   - seconds: how long the run may still take; nil for no limit.
  ///   - interval: seconds between checkpoints; nil for none by time.
  ///   - checkpoint: a guess of how long one takes.
  package init(
    seconds: Double?, interval: Double?, checkpoint: Double, isRoot: Bool,
    clock: @escaping () -> Double = monotonicSeconds
  ) {
    self.clock = clock
    self.isRoot = isRoot
    self.interval = interval
    self.checkpoint = checkpoint
    let now = clock()
    end = seconds.map { now + $0 }
    lastCheckpoint = now
  }

  /// From now on this rank's words travel with the sums. Local.
  package func join(_ notices: Notices) {
    notices.clear()
    notices.say = { [self] words in
      words[Word.signalled.rawValue] = Signals.haveCome ? 1 : 0
      guard isRoot else { return }
      words[Word.isTimeUp.rawValue] = isTimeUp ? 1 : 0
      words[Word.isCheckpointDue.rawValue] = isCheckpointDue ? 1 : 0
    }
  }

  /// How the run must end now, by what all ranks have said; nil if it goes on. Local; the same on every rank.
  package static func earlyEnd(_ notices: Notices) -> RunStatus? {
    if notices.totals[Word.signalled.rawValue] > 0 { return .interrupted }
    return notices.totals[Word.isTimeUp.rawValue] > 0 ? .time_limit : nil
  }

  /// Whether time asks for a checkpoint now. Local; the same on every rank.
  package static func isCheckpointDue(_ notices: Notices) -> Bool {
    notices.totals[Word.isCheckpointDue.rawValue] > 0
  }

  /// A sweep has taken so long: the longest of the last few counts. Local.
  package func noteSweep(_ seconds: Double) { sweep = max(seconds, 0.8 * sweep) }

  /// An evaluation has. Local.
  package func noteEvaluation(_ seconds: Double) { evaluation = max(seconds, 0.8 * evaluation) }

  /// A checkpoint has. Local.
  package func noteCheckpoint(_ seconds: Double) {
    checkpoint = seconds
    lastCheckpoint = clock()
  }

  /// Whether what may come before the next decision, and what a run does at its end, no longer fits: the sweep at hand
  /// and the next one, three evaluations, a checkpoint, and some time for the files.
  private var isTimeUp: Bool {
    guard let end else { return false }
    return clock() + 2 * sweep + 3 * evaluation + 1.5 * checkpoint + Self.closing >= end
  }

  /// Seconds to write model.h5 and run.json in.
  private static let closing = 0.5

  private var isCheckpointDue: Bool {
    guard let interval else { return false }
    return clock() - lastCheckpoint >= max(interval, checkpoint / Self.checkpointShare)
  }
}
