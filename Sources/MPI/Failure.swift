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
  /// Reading or writing failed.
  case inputOutput = 74
  /// Stopped early with a checkpoint: requeue.
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
  /// Whether every rank throws this same failure at this point, so that rank 0 may speak for all and MPI can end in order.
  public let isShared: Bool

  /// - Parameter isShared: true only where all ranks are certain to throw alike.
  public init(_ status: ExitStatus, _ message: String, isShared: Bool = false) {
    self.status = status
    self.message = message
    self.isShared = isShared
  }

  public var description: String { message }
}

extension Communicator {
  /// Does `body` on every rank and agrees on the outcome: if any rank fails, all throw the failure of the lowest such rank.
  ///
  /// For work in which each rank looks at its own part of the input. A message then appears once, is the same for any number of
  /// ranks where parts are in file order, and nobody waits for a rank that has left. Collective; `body` itself must not
  /// communicate, or all ranks must fail in it alike.
  ///
  /// - Throws: a shared `Failure`. Other errors of `body` become one of status `inputOutput`.
  public func agree<T>(_ body: () throws -> T) throws -> T {
    var outcome: Result<T, Failure>
    do {
      outcome = .success(try body())
    } catch let failure as Failure {
      outcome = .failure(failure)
    } catch {
      outcome = .failure(Failure(.inputOutput, "\(error)"))
    }
    let failed: Bool
    if case .failure = outcome { failed = true } else { failed = false }
    let lowest = try min(failed ? rank : size)
    guard lowest < size else { return try outcome.get() }
    var message: [UInt8] = []
    var status = Int(ExitStatus.inputOutput.rawValue)
    if case .failure(let failure) = outcome {
      message = Array(failure.message.utf8)
      status = Int(failure.status.rawValue)
    }
    try broadcast(&message, from: lowest)
    var statuses = [status]
    try broadcast(&statuses, from: lowest)
    throw Failure(
      ExitStatus(rawValue: Int32(statuses[0])) ?? .inputOutput, String(decoding: message, as: UTF8.self),
      isShared: true)
  }
}
