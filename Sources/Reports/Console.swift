import Basics
import Files
import Glibc
import MPI

/// What rank 0 says while a run goes on. On all other ranks it is silent.
///
/// Lines go to standard output, by few calls, so that they don't mix with other ranks' output. On a
/// terminal one more line, the last, shows progress and is rewritten; in a file or a pipe there are lines only. Names
/// from files can't do anything to the terminal (`printable`).
public final class Console {
  /// The widest that a progress line may be; one that wraps can't be rewritten.
  static let progressWidth = 79
  /// Seconds between two states of the progress line.
  private static let progressInterval = 0.1

  /// What was warned of so far, for run.json.
  public private(set) var warnings: [String] = []

  private var output: Outlet
  private var errors: Outlet
  private let isTerminal: Bool
  private let isRoot: Bool
  private let isQuiet: Bool
  private var showsProgress = false
  private var lastActivity = ""
  private var lastProgress = -Double.infinity

  /// - Parameter isQuiet: say nothing but warnings.
  public convenience init(isQuiet: Bool, _ ranks: borrowing Communicator) {
    self.init(isRoot: ranks.isRoot, isQuiet: isQuiet, isTerminal: Self.isTerminal(STDOUT_FILENO))
  }

  /// - Parameters:
  ///   - isTerminal: whether a line can be rewritten.
  ///   - output: the descriptor that lines go to.
  ///   - errors: the descriptor that warnings go to.
  package init(
    isRoot: Bool, isQuiet: Bool, isTerminal: Bool, output: CInt = STDOUT_FILENO,
    errors: CInt = STDERR_FILENO
  ) {
    self.isRoot = isRoot
    self.isQuiet = isQuiet
    self.isTerminal = isTerminal
    self.output = Outlet(output, "standard output")
    self.errors = Outlet(errors, "standard error")
  }

  deinit { clearProgress() }

  /// Prints a line. Local.
  public func print(_ line: String = "") { print([line]) }

  /// Prints lines. Local.
  public func print(_ lines: [String]) {
    guard isRoot && !isQuiet && !lines.isEmpty else { return }
    clearProgress()
    put(lines.map { printable($0) + "\n" }.joined(), to: \.output)
  }

  /// Prints the one line that sums up a command that says nothing else. Local.
  public func printResult(_ line: String) {
    guard isRoot && isQuiet else { return }
    put(line + "\n", to: \.output)
  }

  /// Prints a warning to standard error, whether quiet or not, and keeps it. Local.
  public func warn(_ text: String) {
    warnings.append(text)
    guard isRoot else { return }
    clearProgress()
    put("admm-mpi: warning: \(printable(text))\n", to: \.errors)
  }

  /// Keeps what an earlier part of the run has warned of. Local.
  public func adopt(warnings earlier: [String]) {
    warnings = earlier + warnings.filter { !earlier.contains($0) }
  }

  /// Shows in the progress line of a terminal what is going on. Local.
  ///
  /// A new activity is shown at once, its further states ten times a second at the most.
  ///
  /// - Parameter detail: how far it is.
  public func progress(_ activity: String, _ detail: @autoclosure () -> String = "") {
    guard isTerminal && isRoot && !isQuiet else { return }
    let now = monotonicSeconds()
    guard activity != lastActivity || now - lastProgress >= Self.progressInterval else { return }
    lastActivity = activity
    lastProgress = now
    let detail = detail()
    let end = detail.isEmpty ? " …" : ": " + detail
    let room = max(Self.progressWidth - end.count, 0)
    let start = activity.count <= room ? activity : "…" + activity.suffix(max(room - 1, 0))
    // Carriage return; erase to the end of the line (ECMA-48, EL).
    let line = printable(start + end, isOneLine: true)
    put("\r" + line.prefix(Self.progressWidth) + "\u{1B}[K", to: \.output)
    showsProgress = true
  }

  /// Shows an activity with the share of it that is done, 0 to 1. Local.
  public func progress(_ activity: String, _ share: Double) {
    progress(activity, percent(min(max(share, 0), 1), 0) + " %")
  }

  /// Takes the progress line away. Local.
  public func clearProgress() {
    guard showsProgress else { return }
    put("\r\u{1B}[K", to: \.output)
    showsProgress = false
  }

  /// Whether what goes to `file` is seen on a terminal. Local.
  ///
  /// Open MPI gives every rank a pseudo-terminal as its standard output, even if mpirun writes to a file; then what
  /// mpirun itself writes to decides.
  static func isTerminal(_ file: CInt) -> Bool {
    guard isatty(file) == 1 else { return false }
    guard getenv("OMPI_COMM_WORLD_RANK") != nil else { return true }
    let launchers = open("/proc/\(getppid())/fd/\(file)", O_WRONLY | O_NOCTTY | O_CLOEXEC)
    guard launchers >= 0 else { return false }
    defer { close(launchers) }
    return isatty(launchers) == 1
  }

  /// What can't be written is lost; it is said once. A run does not end for it.
  private func put(_ text: String, to outlet: ReferenceWritableKeyPath<Console, Outlet>) {
    if let loss = self[keyPath: outlet].put(text) {
      warn("\(loss) The run goes on, and what it leaves in its directory is whole.")
    }
  }
}
