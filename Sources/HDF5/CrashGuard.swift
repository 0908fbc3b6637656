import Basics
import Glibc

/// Lets HDF5 look at a file, and ends the process with a word where it does not survive that.
///
/// Some damaged files crash libhdf5 or send it round for ever, and nobody can go on after that. The process then says
/// which file it was and ends with the status of bad data, so that the job ends like with any other damaged file.
///
/// - Parameters:
///   - path: the file that is to blame.
///   - seconds: of computing, not of waiting for a disk; more of it is a loop without end.
func guarded<T, E>(
  _ path: String, seconds: Double = 5, _ body: () throws(E) -> T
) throws(E) -> T {
  let guarding = CrashGuard(path, seconds: seconds)
  defer { guarding.end() }
  return try body()
}

/// What is written when a signal ends the process: the handler can't make a text.
private nonisolated(unsafe) var lastWords = UnsafeMutableRawBufferPointer(start: nil, count: 0)
/// Whether a guard is at work; one inside another does nothing.
private nonisolated(unsafe) var isGuarding = false
/// Where the handler runs, should the ordinary stack be used up.
private nonisolated(unsafe) let handlerStack = UnsafeMutableRawPointer.allocate(
  byteCount: 1 << 16, alignment: 16)

/// Handlers of the signals of a crash, and a limit on computing.
private struct CrashGuard {
  private static let signals = [SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGVTALRM]

  /// What was there before, in the order of `signals`; empty where another guard is at work.
  private var former: [sigaction] = []
  private var formerStack = stack_t()

  init(_ path: String, seconds: Double) {
    guard !isGuarding else { return }
    isGuarding = true
    let text =
      "admm-mpi: error: \(path) is damaged: the HDF5 library breaks down over it. Copy or download it again.\n"
    lastWords = .allocate(byteCount: text.utf8.count, alignment: 1)
    lastWords.copyBytes(from: text.utf8)
    var stack = stack_t(ss_sp: handlerStack, ss_flags: 0, ss_size: 1 << 16)
    sigaltstack(&stack, &formerStack)
    var action = sigaction()
    action.sa_flags = SA_ONSTACK
    action.__sigaction_handler.sa_handler = { _ in
      _ = write(STDERR_FILENO, lastWords.baseAddress, lastWords.count)
      _exit(ExitStatus.badData.rawValue)
    }
    for signal in Self.signals {
      var old = sigaction()
      sigaction(signal, &action, &old)
      former.append(old)
    }
    Self.setTimer(seconds)
  }

  func end() {
    guard !former.isEmpty else { return }
    var formerStack = formerStack
    Self.setTimer(0)
    for (signal, old) in zip(Self.signals, former) {
      var old = old
      sigaction(signal, &old, nil)
    }
    sigaltstack(&formerStack, nil)
    lastWords.deallocate()
    isGuarding = false
  }

  /// Sends SIGVTALRM after so many seconds of computing; never for 0.
  private static func setTimer(_ seconds: Double) {
    var timer = itimerval()
    timer.it_value.tv_sec = Int(min(seconds, 1e9))
    setitimer(__itimer_which_t(ITIMER_VIRTUAL.rawValue), &timer, nil)
  }
}
