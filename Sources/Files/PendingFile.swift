import Basics
import Glibc
import MPI

/// A file that is written under a temporary name and gets its own when it is whole.
package struct PendingFile {
  /// What it will be called.
  let path: String
  /// What it is called until then.
  let temporaryPath: String

  /// Makes nothing yet. Collective.
  ///
  /// - Parameter force: whether a file of this name may be replaced.
  /// - Throws: a shared `Failure` of status `inputOutput` where it may not.
  package init(_ path: String, force: Bool, over ranks: borrowing Communicator) throws {
    self.path = path
    temporaryPath = path + ".part"
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot && !force && access(path, F_OK) == 0 else { return }
      throw Failure(.inputOutput, "\(path) exists. Name another file, or replace it with --force.")
    }
  }

  /// Lets `body` write the file of the temporary name, and gives it its own. Collective.
  ///
  /// - Throws: what `body` throws, and a shared `Failure` of status `inputOutput`; the temporary file is then removed.
  package func fill(over ranks: borrowing Communicator, _ body: (_ temporaryPath: String) throws -> Void)
    throws
  {
    let isRoot = ranks.isRoot
    do {
      try body(temporaryPath)
      try ranks.agree {
        guard isRoot && rename(temporaryPath, path) != 0 else { return }
        throw Failure(.inputOutput, "\(path) can't be made: \(String(cString: strerror(errno))).")
      }
    } catch {
      if isRoot { unlink(temporaryPath) }
      throw error
    }
  }
}

/// Makes a file of every rank's text, rank 0's first. Collective.
///
/// Rank 0 receives and writes the others' texts a few megabytes at a time: it needs no file system that all ranks share.
///
/// - Parameter limit: the most bytes that are sent at once; tests set less.
/// - Throws: a shared `Failure` of status `inputOutput`.
package func writeInOrder(
  _ text: [UInt8], to path: String, limit: Int = 1 << 22, over ranks: borrowing Communicator
) throws {
  let counts = try ranks.gather([text.count]).map { $0[0] }
  guard ranks.isRoot else {
    try text.withUnsafeBufferPointer { text in
      for start in stride(from: 0, to: text.count, by: limit) {
        try ranks.send(UnsafeBufferPointer(rebasing: text[start..<min(start + limit, text.count)]), to: 0)
      }
    }
    return try ranks.agree {}
  }
  // After a failure the others' texts are received all the same, so that they end their sending.
  var failure: Failure? = nil
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
  func put(_ bytes: UnsafeBufferPointer<UInt8>) {
    var rest = UnsafeRawBufferPointer(bytes)[...]
    while failure == nil && !rest.isEmpty {
      let written = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { note() } else { rest = rest.dropFirst(written) }
    }
  }
  func note() {
    failure =
      failure ?? Failure(.inputOutput, "\(path) can't be written: \(String(cString: strerror(errno))).")
  }
  if file < 0 { note() }
  text.withUnsafeBufferPointer(put)
  var piece = [UInt8](repeating: 0, count: ranks.size > 1 ? limit : 0)
  for rank in 1..<max(ranks.size, 1) {
    for start in stride(from: 0, to: counts[rank], by: limit) {
      try piece.withUnsafeMutableBufferPointer { piece in
        let own = UnsafeMutableBufferPointer(rebasing: piece[..<min(limit, counts[rank] - start)])
        try ranks.receive(own, from: rank)
        put(UnsafeBufferPointer(own))
      }
    }
  }
  if file >= 0 && close(file) != 0 { note() }
  try ranks.agree { if let failure { throw failure } }
}
