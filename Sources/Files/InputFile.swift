import Basics
import Glibc

/// A regular file open for reading at any place.
package struct InputFile: ~Copyable {
  package let path: String
  /// Its length in bytes when it was opened.
  package let size: Int
  private let descriptor: CInt

  /// - Throws: a `Failure` of status `noInput` where there is no such file, or it is a directory, pipe or device.
  package init(_ path: String) throws {
    let (descriptor, kind, size) = try opened(path)
    guard kind == S_IFREG else {
      close(descriptor)
      throw refusal(path, kind)
    }
    self.path = path
    self.descriptor = descriptor
    self.size = size
  }

  deinit { close(descriptor) }

  /// Reads as many bytes as `buffer` takes, fewer only at the end of the file. Local.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func read(_ buffer: UnsafeMutableBufferPointer<UInt8>, at offset: Int) throws -> Int {
    try readAll(buffer, at: offset, from: descriptor, calling: path)
  }

  /// `count` bytes from `offset` on, fewer if the file ends before. Local.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func bytes(_ count: Int, at offset: Int = 0) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(min(count, size - offset), 0))
    let done = try bytes.withUnsafeMutableBufferPointer { try read($0, at: offset) }
    return Array(bytes.prefix(done))
  }
}

/// Reads as many bytes of an open file as `buffer` takes, fewer only at its end. Local.
///
/// - Throws: a `Failure` of status `inputOutput` that calls the file `name`.
func readAll(
  _ buffer: UnsafeMutableBufferPointer<UInt8>, at offset: Int, from descriptor: CInt, calling name: String
) throws -> Int {
  var done = 0
  while done < buffer.count, let base = buffer.baseAddress {
    let count = pread(descriptor, base + done, min(buffer.count - done, 1 << 30), offset + done)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw systemFailure("\(name) can't be read at byte \(offset + done)") }
    if count == 0 { break }
    done += count
  }
  return done
}

/// All bytes of a small file, which may be a pipe or one of /proc, whose length shows only at its end. Local.
///
/// - Parameters:
///   - limit: the most bytes that it may have.
///   - patience: how many seconds to wait for a pipe that gives nothing.
/// - Throws: a `Failure`: `noInput` where it can't be opened or read, `badConfiguration` where it is too long.
package func bytes(of path: String, limit: Int = 16 << 20, patience: Double = 10) throws -> [UInt8] {
  let (descriptor, kind, _) = try opened(path)
  defer { close(descriptor) }
  guard kind == S_IFREG || kind == S_IFIFO else { throw refusal(path, kind) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    if kind == S_IFIFO { try waitForInput(descriptor, path, patience) }
    let count = read(descriptor, &piece, piece.count)
    if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
    guard count >= 0 else { throw systemFailure("\(path) can't be read", .noInput) }
    if count == 0 { return bytes }
    bytes += piece[..<count]
    guard bytes.count <= limit else {
      throw Failure(
        .badConfiguration, "\(path) is longer than \(limit >> 20) MiB. Is it the file that you meant?")
    }
  }
}

/// Waits until a pipe has something to read, or nobody writes into it any more.
private func waitForInput(_ descriptor: CInt, _ path: String, _ patience: Double) throws {
  let deadline = monotonicSeconds() + patience
  while true {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let left = deadline - monotonicSeconds()
    let code = left > 0 ? poll(&request, 1, CInt(left * 1000) + 1) : 0
    if code > 0 { return }
    if code < 0 && errno == EINTR { continue }
    throw Failure(
      .noInput, "\(path) is a pipe that has given nothing for \(Int(patience)) seconds. Name a file.")
  }
}

/// The text of a small file, which may be a pipe. Local.
///
/// - Throws: a `Failure`: `noInput` where it can't be opened or read, `badConfiguration` where it is too long or not
///   UTF-8 text.
package func contents(of path: String) throws -> String {
  guard let text = String(validating: try bytes(of: path), as: UTF8.self) else {
    throw Failure(.badConfiguration, "\(path) is not UTF-8 text.")
  }
  return text
}

/// Whether a file is there and may be read. Local.
package func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

/// Opens whatever comes from outside: the one place that does.
///
/// It waits for nobody: a pipe is open at once, even if nobody writes into it.
private func opened(_ path: String) throws -> (descriptor: CInt, kind: mode_t, size: Int) {
  // C would take the bytes before it for the path.
  guard !path.utf8.contains(0) else {
    throw Failure(.noInput, "\(quoted(path)) is no path: it has a zero byte. Check the path.")
  }
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
  guard descriptor >= 0 else {
    guard errno != ENOENT else {
      throw Failure(.noInput, "\(path): there is no such file. Check the path.")
    }
    throw systemFailure("\(path) can't be opened", .noInput)
  }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else {
    let failure = systemFailure("\(path) can't be read", .noInput)
    close(descriptor)
    throw failure
  }
  return (descriptor, status.st_mode & S_IFMT, Int(status.st_size))
}

/// What is no file, in words.
private func refusal(_ path: String, _ kind: mode_t) -> Failure {
  let (what, advice) =
    switch kind {
    case S_IFDIR: ("a directory", "Name a file in it.")
    case S_IFIFO:
      ("a pipe, which can't be read in parts", "Write what comes from it to a file, and name that.")
    default: ("a device or a socket", "Name a file.")
    }
  return Failure(.noInput, "\(path) is not a file but \(what). \(advice)")
}
