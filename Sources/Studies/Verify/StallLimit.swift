import Basics
import Files
import Glibc

/// Ends the job where a check does not come to an end: messages that never arrive, a file system that hangs.
final class StallLimit {
  private let seconds: UInt32
  /// What is written then. A signal's handler may do no more than write it.
  private nonisolated(unsafe) static var line: UnsafeMutableBufferPointer<UInt8>?

  /// - Parameter seconds: what a check may take. Ranks other than 0 wait a little longer, so that rank 0 speaks.
  init(seconds: UInt32, isRoot: Bool) {
    self.seconds = seconds + (isRoot ? 0 : 5)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      if let line = StallLimit.line { _ = write(STDOUT_FILENO, line.baseAddress, line.count) }
      _exit(ExitStatus.numericalFailure.rawValue)
    }
    sigaction(SIGALRM, &action, nil)
  }

  /// A check begins, and with it its time.
  func begin(_ name: String) {
    alarm(0)
    Self.line?.deallocate()
    let text =
      "FAILED \(name): no end after \(seconds) s. Messages between these hosts, or files in the directory, hang: try "
      + "one rank, then the ranks of one host, then other hosts.\n"
    let line = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = line.initialize(fromContentsOf: text.utf8)
    Self.line = line
    alarm(seconds)
  }

  /// No check is at work any more.
  func end() {
    alarm(0)
    signal(SIGALRM, SIG_DFL)
  }
}
