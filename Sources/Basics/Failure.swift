/// How a process ends, as in sysexits.h: what a batch script sees.
public enum ExitStatus: Int32, Sendable, Codable {
  /// Done.
  case done = 0
  /// A wrong command line.
  case usage = 64
  /// A damaged or unsuitable input file.
  case badData = 65
  /// An input file that is not there or can't be opened.
  case noInput = 66
  /// The numbers went wrong: no finite iterate, a system that can't be solved.
  case numericalFailure = 70
  /// The system gives too little memory.
  case noMemory = 71
  /// Reading or writing failed.
  case inputOutput = 74
  /// Stopped early, with a checkpoint: to be started again.
  case stoppedEarly = 75
  /// A wrong configuration.
  case badConfiguration = 78
}

/// Something that the user can mend: what is wrong, where, and what to do.
public struct Failure: Error, CustomStringConvertible {
  /// The status that the process ends with.
  public let status: ExitStatus
  /// One or more sentences for the user. Names the file, line, key, column or global sample.
  public let message: String
  /// Whether every rank throws this same failure at this point, so that rank 0 may speak for all and MPI can end in
  /// order.
  public let isShared: Bool

  /// - Parameter isShared: true only where all ranks are certain to throw alike.
  public init(_ status: ExitStatus, _ message: String, isShared: Bool = false) {
    self.status = status
    self.message = message
    self.isShared = isShared
  }

  public var description: String { message }
}
