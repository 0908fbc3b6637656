import Basics
import Glibc
import MPI

/// A file open for writing. Local; a whole file goes through `PendingFile`, which uses this.
package final class OutputFile {
  private let path: String
  /// −1 once it is closed.
  private var descriptor: CInt

  /// Makes a file, empty whatever was there.
  ///
  /// - Parameter appending: whether every write goes to the end, whoever else writes.
  /// - Throws: a `Failure` of status `inputOutput`.
  package init(_ path: String, appending: Bool = false) throws {
    self.path = path
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (appending ? O_APPEND : 0)
    descriptor = open(path, flags, 0o666)
    guard descriptor >= 0 else { throw systemFailure("\(path) can't be made") }
  }

  deinit {
    if descriptor >= 0 { Glibc.close(descriptor) }
  }

  /// Hands all of `bytes` to the operating system.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard writeAll(bytes, to: descriptor) else { throw systemFailure("\(path) can't be written") }
  }

  /// Hands all of `text` to the operating system.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// A network file system may tell of a full disk only here.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func close() throws {
    defer { descriptor = -1 }
    guard Glibc.close(descriptor) == 0 else { throw systemFailure("\(path) can't be written") }
  }
}

/// Writes all of `bytes` to an open file, pipe or terminal. Local.
///
/// - Returns: false where it can't be done; `errno` then says why.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> Bool {
  var rest = bytes
  while !rest.isEmpty {
    let count = write(descriptor, rest.baseAddress, rest.count)
    if count < 0 && errno == EINTR { continue }
    if count < 0 && errno == EAGAIN {
      // A pipe or terminal that somebody has set not to block: wait until it takes more.
      var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&request, 1, -1)
      continue
    }
    guard count > 0 else { return false }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
  return true
}

/// What can't be done, with the operating system's reason for its last error.
///
/// - Parameter advice: what to do about it, without a full stop.
package func systemFailure(
  _ what: String, _ status: ExitStatus = .inputOutput, advice: String? = nil
) -> Failure {
  let reason = String(cString: strerror(errno))
  return Failure(status, "\(what): \(reason).\(advice.map { " \($0)." } ?? "")")
}
