import Basics

extension Communicator {
  /// Does `body` on every rank and agrees on the outcome: if any rank fails, all throw the failure of the lowest
  /// such rank.
  ///
  /// For work in which each rank looks at its own part of the input. A message then appears once, is the same for
  /// any number of ranks where parts are in file order, and nobody waits for a rank that has left. Collective;
  /// `body` itself must not communicate, or all ranks must fail in it alike.
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
