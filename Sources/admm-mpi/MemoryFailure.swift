import Basics
import Glibc

/// What the libraries alone map of the address space. With less Open MPI's start hangs, or fails without a word.
private let leastAddressSpace = 512 << 20

/// Ends the process with `noMemory` where its limit (`ulimit -v`) leaves no room for the libraries. Local; before MPI
/// begins.
func refuseTooSmallLimit() {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < leastAddressSpace
  else {
    return
  }
  write(
    "admm-mpi: error: ulimit -v is \(limit.rlim_cur >> 20) MiB, and the libraries alone take more than "
      + "\(leastAddressSpace >> 20). Raise it.\n", to: STDERR_FILENO)
  exit(ExitStatus.noMemory.rawValue)
}

/// What SIGABRT did before. Written once, while there is one thread.
nonisolated(unsafe) private var formerAction = sigaction()

/// Has the process end with `noMemory` where Swift's runtime gets no memory: that says on standard error how many bytes
/// it wanted, and aborts. Any other abort does what it did before. Local.
func endInOrderWithoutMemory() {
  var action = sigaction()
  action.__sigaction_handler.sa_handler = { signal in
    guard errno == ENOMEM else {
      sigaction(signal, &formerAction, nil)
      raise(signal)
      return
    }
    // No memory is to be had: nothing but system calls.
    let text: StaticString =
      """
      admm-mpi: error: no memory. Raise the limit (ulimit -v), start fewer ranks on a host, or take a smaller network \
      or fewer samples.

      """
    _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    _exit(ExitStatus.noMemory.rawValue)
  }
  sigaction(SIGABRT, &action, &formerAction)
}
