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
  private let holder: Holder

  private init(_ path: String, _ descriptor: CInt, _ holder: Holder) {
    self.path = path
    self.descriptor = descriptor
    self.holder = holder
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
    guard locked(descriptor) != .held else {
      throw Failure(.inputOutput, "the directory of \(path) is in use by another process.")
    }
    guard holder.write(to: descriptor) else {
      throw systemFailure("the directory of \(path) can't be written")
    }
  }

  /// Takes the lock of a directory, writes to it, and removes what killed jobs have left of files that they were
  /// writing there. Local: for one rank of a job.
  ///
  /// - Parameter host: what this rank's machine is called.
  /// - Throws: a `Failure` of status `inputOutput` that names the holder, or says why nothing can be written.
  package static func take(_ directory: String, host: String, advice: String) throws -> DirectoryLock {
    let path = directory + "/" + name
    let this = Holder(host: host, process: getpid())
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
        case .unknown: !(holder?.isAlive(beside: this) ?? false)
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
      let lock = DirectoryLock(path, descriptor, this)
      guard this.write(to: descriptor) else {
        throw systemFailure("the directory \(directory) can't be written", advice: advice)
      }
      removeUnfinishedFiles(in: directory)
      return lock
    }
  }
}

/// What comes of asking for a lock; unknown where the file system has none.
enum LockOutcome { case taken, held, unknown }

/// Linux's `F_OFD_SETLK`, which glibc's headers hide from Swift; fcntl(2).
let openFileLock: CInt = 37

/// Asks for the lock of an open file. Local.
///
/// - Parameter kind: `F_SETLK`, and the lock is this process's until it closes the file anywhere; `openFileLock`, and it
///   is the open file's, whoever else opens and closes the file.
func locked(_ descriptor: CInt, _ kind: CInt = F_SETLK) -> LockOutcome {
  var request = flock()
  request.l_type = Int16(F_WRLCK)
  request.l_whence = Int16(SEEK_SET)
  let code = withUnsafeMutablePointer(to: &request) {
    fcntl(descriptor, kind, UnsafeMutableRawPointer($0))
  }
  if code == 0 { return .taken }
  return errno == EACCES || errno == EAGAIN ? .held : .unknown
}

/// Who holds a lock, as its file says.
private struct Holder {
  let host: String
  let process: pid_t

  var text: String { "process \(process) on \(host)" }

  init(host: String, process: pid_t) { (self.host, self.process) = (host, process) }

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

  /// Whether it is another process of the same host that still runs. Of other hosts nothing is known.
  func isAlive(beside this: Holder) -> Bool {
    host == this.host && process != this.process && (kill(process, 0) == 0 || errno == EPERM)
  }
}
