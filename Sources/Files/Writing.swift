import Basics
import Glibc
import MPI

/// Writes all of `text` to an open file.
///
/// - Throws: a `Failure` of status `inputOutput` that names `path`.
package func writeAll(_ text: String, to file: CInt, _ path: String) throws {
  var text = text
  try text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let count = Glibc.write(file, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EAGAIN {
        // A pipe or terminal that somebody has set not to block: wait until it takes more.
        var request = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        poll(&request, 1, -1)
        continue
      }
      guard count > 0 else {
        throw failure("\(path) can't be written", "Make room, or choose another output.directory")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

/// A failure to write, with the reason that the system call just gave.
package func failure(_ what: String, _ advice: String? = nil) -> Failure {
  let reason = String(cString: strerror(errno))
  return Failure(.inputOutput, "\(what): \(reason).\(advice.map { " \($0)." } ?? "")")
}
