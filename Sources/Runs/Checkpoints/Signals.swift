import Glibc

/// The signals that ask a run to stop: USR1, USR2, INT, TERM. They are noted; a second INT ends the process at once.
enum Signals {
  /// How many have come: a place that a handler may write to.
  private nonisolated(unsafe) static let count: UnsafeMutablePointer<sig_atomic_t> = {
    let place = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 2)
    place.initialize(repeating: 0, count: 2)
    return place
  }()

  /// Whether one has come to this process.
  static var haveCome: Bool { count[0] > 0 }

  /// Which signals are noted.
  enum Kind {
    /// USR1, USR2, which batch systems send ahead of time: while there is nothing to save, the others may end all.
    case polite
    case all
  }

  /// From now on they are noted. Local.
  static func watch(_ kind: Kind) {
    _ = count
    for signal in kind == .polite ? [SIGUSR1, SIGUSR2] : [SIGUSR1, SIGUSR2, SIGINT, SIGTERM] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { signal in
        if signal == SIGINT {
          if Signals.count[1] > 0 { _exit(128 + SIGINT) }
          Signals.count[1] = 1
        }
        Signals.count[0] = 1
      }
      action.sa_flags = SA_RESTART
      sigaction(signal, &action, nil)
      // Whoever started this process may have had it blocked.
      var one = sigset_t()
      sigemptyset(&one)
      sigaddset(&one, signal)
      pthread_sigmask(SIG_UNBLOCK, &one, nil)
    }
  }
}
