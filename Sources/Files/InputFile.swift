import Basics
import Glibc
import MPI

/// A file open for reading at any place.
package struct InputFile: ~Copyable {
  package let path: String
  /// Its length in bytes when it was opened.
  package let size: Int
  private let descriptor: CInt

  /// - Throws: a `Failure` of status `noInput` where there is no such file, or it is a directory or a device.
  package init(_ path: String) throws {
    let descriptor = try openedForReading(path)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Failure(.noInput, "\(path) is not a file but a directory or a device. Name a file.")
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads as many bytes as `buffer` takes, fewer only at the end of the file. Local.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func read(_ buffer: UnsafeMutableBufferPointer<UInt8>, at offset: Int) throws -> Int {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      let count = pread(descriptor, base + done, min(buffer.count - done, 1 << 30), offset + done)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw systemFailure("\(path) can't be read at byte \(offset + done)") }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// The first `count` bytes, fewer if the file is shorter. Local.
  package func bytes(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = try bytes.withUnsafeMutableBufferPointer { try read($0, at: 0) }
    return Array(bytes.prefix(done))
  }
}

/// All bytes of a small file, which may be a pipe. Local.
///
/// - Throws: a `Failure` of status `noInput` where it can't be opened or read.
package func bytes(of path: String) throws -> [UInt8] {
  let descriptor = try openedForReading(path)
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &piece, piece.count)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw systemFailure("\(path) can't be read", .noInput) }
    if count == 0 { return bytes }
    bytes += piece[..<count]
  }
}

/// The text of a small file, which may be a pipe. Local.
///
/// - Throws: a `Failure`: `noInput` where it can't be opened or read, `badConfiguration` where it is not UTF-8 text.
package func contents(of path: String) throws -> String {
  guard let text = String(validating: try bytes(of: path), as: UTF8.self) else {
    throw Failure(.badConfiguration, "\(path) is not UTF-8 text.")
  }
  return text
}

/// Whether a file is there and may be read. Local.
package func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

private func openedForReading(_ path: String) throws -> CInt {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor < 0 else { return descriptor }
  guard errno != ENOENT else {
    throw Failure(.noInput, "\(path): there is no such file. Check the path.")
  }
  throw systemFailure("\(path) can't be opened", .noInput)
}
