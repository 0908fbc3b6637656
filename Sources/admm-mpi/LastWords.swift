import Basics
import Glibc
import MPI
import Reports

/// What the handler writes, made before: it can't make a text. Written once, while there is one thread.
private nonisolated(unsafe) var origin = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
private nonisolated(unsafe) var phases: [UnsafeBufferPointer<UInt8>] = []
/// What was there before, by signal.
private nonisolated(unsafe) let former = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)

/// Has a process that a fault of the program ends say on which rank and host that was, and in which phase. Then it ends
/// as it would have. Local.
func sayWhereItEnds(_ ranks: borrowing Communicator) {
  let host = (try? ranks.hostName()) ?? "unknown host"
  origin = lasting("admm-mpi: error on rank \(ranks.rank) (\(printable(host))), ended by signal ")
  phases = Phase.allCases.map { lasting(", in phase \($0.name)") }
  var stack = stack_t(ss_sp: .allocate(byteCount: 1 << 16, alignment: 16), ss_flags: 0, ss_size: 1 << 16)
  sigaltstack(&stack, nil)
  var action = sigaction()
  action.sa_flags = SA_ONSTACK | CInt(bitPattern: UInt32(SA_NODEFER))
  action.__sigaction_handler.sa_handler = { signal in
    put(origin)
    put(Int(signal))
    let state = Progress.state
    if phases.indices.contains(state.phase) { put(phases[state.phase]) }
    put(" of iteration ")
    put(state.iteration)
    put("\n")
    // Whoever was there before tells what they know; then it is the end.
    sigaction(signal, former + Int(signal), nil)
    raise(signal)
    Glibc.signal(signal, SIG_DFL)
    raise(signal)
  }
  for signal in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE] {
    sigaction(signal, &action, former + Int(signal))
  }
}

/// Memory that stays, with a text.
private func lasting(_ text: String) -> UnsafeBufferPointer<UInt8> {
  let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
  _ = bytes.initialize(from: text.utf8)
  return UnsafeBufferPointer(bytes)
}

// Nothing but system calls.

private func put(_ bytes: UnsafeBufferPointer<UInt8>) {
  _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
}

private func put(_ text: StaticString) {
  _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
}

private func put(_ number: Int) {
  if number > 9 { put(number / 10) }
  var digit = UInt8(ascii: "0") + UInt8(number % 10)
  _ = Glibc.write(STDERR_FILENO, &digit, 1)
}
