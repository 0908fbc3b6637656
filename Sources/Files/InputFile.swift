import Basics
import Glibc
import MPI

/// A file open for reading at any place.
package struct InputFile: ~Copyable {
  package let path: String
  /// Its length in bytes when it was opened.
  package let size: Int
  private let descriptor: CInt

  /// - Throws: a `Failure` of status `noInput`.
  package init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Failure(
        .noInput,
        errno == ENOENT
          ? "\(path): there is no such file. Check the path." : "\(path) can't be opened: \(systemError()).")
    }
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
      guard count >= 0 else {
        throw Failure(.inputOutput, "\(path) can't be read at byte \(offset + done): \(systemError()).")
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

/// The operating system's words for the last error.
package func systemError() -> String { String(cString: strerror(errno)) }

/// Whether a file is there and may be read. Local.
package func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
