import Synchronization

/// What this process's main thread is at, for a watchdog on another thread: a few words, stored as they change and read
/// at any time. A store is some nanoseconds.
public enum Progress {
  /// What is known at one moment.
  public struct State: Sendable, Equatable {
    /// Grows with everything that is marked here: as long as it does, there is progress.
    public var marks: Int
    /// The raw value of the phase.
    public var phase: Int
    /// 0 outside of training.
    public var iteration: Int
    /// Whether the thread is inside a call to MPI, where it waits for others.
    public var isInMPI: Bool

    public init(marks: Int = 0, phase: Int, iteration: Int, isInMPI: Bool) {
      self.marks = marks
      self.phase = phase
      self.iteration = iteration
      self.isInMPI = isInMPI
    }
  }

  private static let marks = Atomic<Int>(0)
  private static let phase = Atomic<Int>(-1)
  private static let iteration = Atomic<Int>(0)
  private static let isInMPI = Atomic<Bool>(false)

  /// At this moment.
  public static var state: State {
    State(
      marks: marks.load(ordering: .relaxed), phase: phase.load(ordering: .relaxed),
      iteration: iteration.load(ordering: .relaxed),
      isInMPI: isInMPI.load(ordering: .relaxed))
  }

  /// A phase begins.
  public static func begin(phase new: Int) {
    phase.store(new, ordering: .relaxed)
    mark()
  }

  /// An iteration begins; 0 after the last.
  public static func begin(iteration new: Int) {
    iteration.store(new, ordering: .relaxed)
    mark()
  }

  /// Does a call to MPI.
  public static func inMPI<Result>(_ call: () -> Result) -> Result {
    isInMPI.store(true, ordering: .relaxed)
    mark()
    defer {
      isInMPI.store(false, ordering: .relaxed)
      mark()
    }
    return call()
  }

  /// Only the main thread does.
  private static func mark() { marks.store(marks.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
}
