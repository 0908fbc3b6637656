import Basics
import Files
import Glibc

/// A process of this program, a job of its own with one rank: it knows nothing of the launcher of this one.
final class Child {
  /// How a process ended.
  enum End: Equatable, CustomStringConvertible {
    case ended(Int32)
    case killed
    case died(signal: Int32)

    var description: String {
      switch self {
      case .ended(let status): "it ended with status \(status)"
      case .killed: "it was killed"
      case .died(let signal): "it died of signal \(signal)"
      }
    }
  }

  private let command: String
  private let log: String
  private let process: pid_t
  private var end: End?

  /// What launchers leave in the environment of the processes that they start, by how the names begin.
  private static let launchers = [
    "OMPI_", "ORTE_", "PRTE_", "PMIX_", "PMI_", "PMIP", "MPI_LOCAL", "MPIEXEC_", "HYDRA_", "HYDI_", "I_MPI_",
    "MV2_",
    "SLURM", "PALS_", "ALPS_", "FLUX_",
  ]
  /// What a user may have set, and a container needs.
  private static let kept = ["OMPI_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT"]

  /// Starts it, with nothing on standard input, and its output in a file.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  init(_ program: String, _ arguments: [String], log: String) throws {
    command = ([program] + arguments).joined(separator: " ")
    self.log = log
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] = Self.environment().map { strdup($0) } + [nil]
    defer { for word in words + settings { free(word) } }
    var process = pid_t()
    let code = posix_spawn(&process, program, &actions, nil, &words, &settings)
    guard code == 0 else {
      throw Failure(.inputOutput, "\(program) can't be started: \(String(cString: strerror(code))).")
    }
    self.process = process
  }

  deinit { _ = kill() }

  /// Waits until it has ended or `condition` is met.
  ///
  /// - Returns: false where neither comes within `seconds`.
  func wait(atMost seconds: Double, until condition: () -> Bool) -> Bool {
    let start = monotonicSeconds()
    while end == nil {
      note(waitpid(process, &status, WNOHANG))
      if end != nil || condition() { return true }
      guard monotonicSeconds() - start < seconds else { return false }
      usleep(1_000)
    }
    return true
  }

  /// Kills it where it has not ended, and says how it ended.
  func kill() -> End {
    while end == nil {
      Glibc.kill(process, SIGKILL)
      note(waitpid(process, &status, 0))
    }
    return end ?? .killed
  }

  private var status: Int32 = 0

  private func note(_ ended: pid_t) {
    if ended < 0 && errno != EINTR { end = .ended(-1) }
    guard ended == process else { return }
    let signal = status & 0x7F
    end = signal == 0 ? .ended(status >> 8 & 0xFF) : signal == SIGKILL ? .killed : .died(signal: signal)
  }

  /// What went wrong, with the end of what it said.
  func failure(_ what: String) -> Failure {
    let said = ((try? contents(of: log)) ?? "").split(separator: "\n").suffix(3).joined(separator: " | ")
    return Failure(.inputOutput, "\(command): \(what)\(said.isEmpty ? "" : ": \(shortened(said, to: 400))").")
  }

  private static func environment() -> [String] {
    var settings: [String] = []
    var entry = environ
    while let text = entry.pointee {
      let setting = String(cString: text)
      if kept.contains(where: setting.hasPrefix) || !launchers.contains(where: setting.hasPrefix) {
        settings.append(setting)
      }
      entry += 1
    }
    return settings
  }
}
