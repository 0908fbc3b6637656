import Basics
import Glibc
import MPI

/// Keeps other processes from working in a directory. The lock ends with the process, however that ends, on a network
/// file system, too.
///
/// Where the file system has no locks, the host and the process that the lock's file names tell whether it is in use.
package final class DirectoryLock: Sendable {
  /// The lock's file in the directory.
  package static let name = ".admm-mpi.lock"

  private let path: String
  private let descriptor: CInt

  private init(_ path: String, _ descriptor: CInt) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    // While it is still locked: whoever waits with the same file open then finds that it has lost its name.
    if isInPlace { unlink(path) }
    close(descriptor)
  }

  /// Whether the lock's file is where it was.
  private var isInPlace: Bool { FileIdentity(path) == FileIdentity(descriptor: descriptor) }

  /// Takes the lock once more where its file has gone, with its directory for instance. Local.
  ///
  /// - Throws: a `Failure` of status `inputOutput`: another process has it now, or nothing can be written.
  package func renew() throws {
    guard !isInPlace else { return }
    let new = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard new >= 0 else { throw systemFailure("the directory of \(path) can't be written") }
    // Closing any descriptor of a file gives up the process's locks on it: only then it is locked.
    dup2(new, descriptor)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    close(new)
    guard case .taken = Self.locked(descriptor), Holder.this.write(to: descriptor) else {
      throw Failure(.inputOutput, "the directory of \(path) is in use by another process.")
    }
  }

  /// Takes the lock of a directory, and writes to it. Local: for one rank of a job.
  ///
  /// - Throws: a `Failure` of status `inputOutput` that names the holder, or says why nothing can be written.
  package static func take(_ directory: String, advice: String) throws -> DirectoryLock {
    let path = directory + "/" + name
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        throw systemFailure("the directory \(directory) can't be written", advice: advice)
      }
      let holder = Holder(reading: descriptor)
      let isFree =
        switch locked(descriptor) {
        case .taken: true
        case .held: false
        case .unknown: !(holder?.isAlive ?? false)
        }
      guard isFree else {
        close(descriptor)
        throw Failure(
          .inputOutput,
          "the directory \(directory) is in use by \(holder?.text ?? "another process"). \(advice), or wait for "
            + "its end."
        )
      }
      // Its last holder may have taken the name away since.
      guard FileIdentity(path) == FileIdentity(descriptor: descriptor) else {
        close(descriptor)
        continue
      }
      let lock = DirectoryLock(path, descriptor)
      guard Holder.this.write(to: descriptor) else {
        throw systemFailure("the directory \(directory) can't be written", advice: advice)
      }
      return lock
    }
  }

  private enum Outcome { case taken, held, unknown }

  private static func locked(_ descriptor: CInt) -> Outcome {
    var request = flock()
    request.l_type = Int16(F_WRLCK)
    request.l_whence = Int16(SEEK_SET)
    let code = withUnsafeMutablePointer(to: &request) {
      fcntl(descriptor, F_SETLK, UnsafeMutableRawPointer($0))
    }
    if code == 0 { return .taken }
    return errno == EACCES || errno == EAGAIN ? .held : .unknown
  }
}

/// Who holds a lock, as its file says.
private struct Holder {
  let host: String
  let process: pid_t

  var text: String { "process \(process) on \(host)" }

  static var this: Holder {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return Holder(host: String(decoding: bytes, as: UTF8.self), process: getpid())
  }

  private init(host: String, process: pid_t) { (self.host, self.process) = (host, process) }

  /// nil where nothing, or something else, is written there.
  init?(reading descriptor: CInt) {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let words = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).split { $0 == " " || $0 == "\n" }
    guard words.count == 2, let process = pid_t(words[1]), process > 0 else { return nil }
    self.init(host: String(words[0]), process: process)
  }

  func write(to descriptor: CInt) -> Bool {
    let line = Array("\(host) \(process)\n".utf8)
    return ftruncate(descriptor, 0) == 0 && pwrite(descriptor, line, line.count, 0) == line.count
      && fsync(descriptor) == 0
  }

  /// Whether it is another process of this host that still runs. Of other hosts nothing is known.
  var isAlive: Bool {
    host == Holder.this.host && process != getpid() && (kill(process, 0) == 0 || errno == EPERM)
  }
}
