import Basics
import Glibc
import MPI

/// A file open for writing. Local; a whole file goes through `PendingFile`, which uses this.
package final class OutputFile {
  /// Where it lies; of a pending file the temporary name.
  package let path: String
  /// What messages call it.
  package let name: String
  /// −1 once it is closed.
  private var descriptor: CInt
  /// Keeps the file's lock until this object goes; −1 where there is none.
  private var lock: CInt = -1
  /// The checksums of what is written at a place, while the file is being sealed.
  var parts: PartSums?

  /// Makes a file where there is none. No link is followed, and nothing that is there is touched.
  ///
  /// - Parameter name: what messages call it; its path by default.
  /// - Throws: a `Failure` of status `inputOutput`.
  package convenience init(new path: String, calling name: String? = nil) throws {
    try self.init(path, calling: name ?? path, O_CREAT | O_EXCL)
  }

  /// Opens a file that this job has made. No link is followed.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package convenience init(existing path: String, calling name: String? = nil) throws {
    try self.init(path, calling: name ?? path, 0)
  }

  private init(_ path: String, calling name: String, _ flags: CInt) throws {
    self.path = path
    self.name = name
    descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0o666)
    guard descriptor >= 0 else { throw systemFailure("\(name) can't be made") }
  }

  deinit {
    for descriptor in [descriptor, lock] where descriptor >= 0 { Glibc.close(descriptor) }
  }

  /// Marks the file as one that is being written, until this object goes: see `removeUnfinishedFiles`.
  ///
  /// - Returns: false where another process has taken the file away.
  func hold() -> Bool {
    lock = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    return locked(descriptor, openFileLock) != .held
      && FileIdentity(path) == FileIdentity(descriptor: descriptor)
  }

  /// Hands all of `bytes` to the operating system.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard writeAll(bytes, to: descriptor) else { throw unwritten }
  }

  /// Hands all of `bytes` to the operating system, to stand from byte `offset` on.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = pwrite(descriptor, rest.baseAddress, min(rest.count, 1 << 30), offset + done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw unwritten }
      done += count
    }
    parts?.add(bytes, at: offset)
  }

  /// Cuts off what lies beyond `count` bytes. Where that can't be done nothing changes.
  package func cut(to count: Int) { ftruncate(descriptor, count) }

  /// The first `count` bytes, also of a file that has lost its name.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func bytes(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = try bytes.withUnsafeMutableBufferPointer {
      try readAll($0, at: 0, from: descriptor, calling: name)
    }
    guard read == count else {
      throw Failure(
        .inputOutput, "\(name) has lost what was written to it: \(read) of \(count) bytes are left.")
    }
    return bytes
  }

  /// Whether its name still leads to it.
  package var hasItsName: Bool { FileIdentity(path) == FileIdentity(descriptor: descriptor) }

  /// Hands all of `text` to the operating system.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Has the disk hold all of the file, and closes it. A network file system may tell of a full disk only here.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func finish() throws {
    guard fsync(descriptor) == 0 else { throw unwritten }
    let code = Glibc.close(descriptor)
    descriptor = -1
    guard code == 0 else { throw unwritten }
  }

  private var unwritten: Failure { systemFailure("\(name) can't be written") }
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
