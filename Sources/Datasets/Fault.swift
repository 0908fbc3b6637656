import Basics
import MPI

/// Something wrong at one line or sample of a file, found by a rank that may not know yet which line of the whole
/// file it is.
struct Fault: Error {
  /// The line or sample, from 1, counted from where this rank's part begins.
  let index: Int
  let status: ExitStatus
  /// The message, given the number in the whole file.
  let message: @Sendable (Int) -> String

  init(index: Int, status: ExitStatus = .badData, _ message: @escaping @Sendable (Int) -> String) {
    self.index = index
    self.status = status
    self.message = message
  }
}

extension Communicator {
  /// What `body` finds wrong in this rank's part of a file; other failures are agreed on. Collective; `body` must
  /// not communicate.
  ///
  /// - Throws: a shared `Failure`.
  func fault(in body: () throws -> Void) throws -> Fault? {
    var fault: Fault? = nil
    try agree {
      do { try body() } catch let found as Fault { fault = found }
    }
    return fault
  }

  /// All ranks throw the failure that stands first in the file; nothing is thrown where no rank has found a fault.
  /// Collective.
  ///
  /// - Parameters:
  ///   - fault: the first that this rank has found.
  ///   - before: how many lines or samples the file has before this rank's part.
  func agree(onEarliest fault: Fault?, before: Int = 0) throws {
    let place = fault.map { before + $0.index } ?? Int.max
    let earliest = try min(place)
    guard earliest < Int.max else { return }
    try agree {
      if let fault, place == earliest { throw Failure(fault.status, fault.message(place)) }
    }
  }
}
