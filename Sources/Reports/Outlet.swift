import Files
import Glibc

/// Where a console's text goes, until nobody reads it any more.
struct Outlet {
  private let file: CInt
  private let name: String
  private var isBroken = false
  private var hasFailed = false

  init(_ file: CInt, _ name: String) {
    self.file = file
    self.name = name
  }

  /// Writes a text. Local.
  ///
  /// - Returns: why it could not, the first time that it couldn't.
  mutating func put(_ text: String) -> String? {
    guard !isBroken else { return nil }
    var text = text
    if hasReader {
      guard !text.withUTF8({ writeAll(UnsafeRawBufferPointer($0), to: file) }) else { return nil }
    } else {
      errno = EPIPE
    }
    // A disk may have room again, a reader does not come back.
    isBroken = errno == EPIPE
    defer { hasFailed = true }
    return hasFailed ? nil : "\(name) can't be written: \(String(cString: strerror(errno)))."
  }

  /// Whether somebody reads what mpirun passes on. Open MPI gives each rank a pipe or a terminal of its own, which
  /// takes everything, and ends the job when its own pipe has broken some ten times.
  private var hasReader: Bool {
    guard getenv("OMPI_COMM_WORLD_RANK") != nil else { return true }
    let path = "/proc/\(getppid())/fd/\(file)"
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return true }
    let launchers = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    guard launchers >= 0 else { return errno != ENXIO }
    defer { close(launchers) }
    var request = pollfd(fd: launchers, events: Int16(POLLOUT), revents: 0)
    poll(&request, 1, 0)
    return request.revents & Int16(POLLERR) == 0
  }
}
