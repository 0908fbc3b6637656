import ArgumentParser
import Basics
import Glibc
import HDF5
import MPI
import Reports

/// A part of the program that is chosen by the first word of the command line.
protocol Subcommand: ParsableCommand {
  /// Does the work. Collective: every rank has parsed the same words.
  ///
  /// - Throws: a shared `Failure` where all ranks fail alike; anything else ends the job at once.
  func run(over ranks: borrowing Communicator) throws -> ExitStatus
}

/// The process: MPI begins, the command line is read, the subcommand works, MPI ends.
@main
enum Program {
  static func main() {
    do {
      refuseTooSmallLimit()
      // Who no longer reads what is printed does not end a run (`Outlet`).
      signal(SIGPIPE, SIG_IGN)
      if let text = helpText() {
        if Launcher.speaks { write(text, to: STDOUT_FILENO) }
        exit(ExitStatus.done.rawValue)
      }
      let job = try Launcher.start()
      endInOrderWithoutMemory()
      sayWhereItEnds(job.world)
      let status = outcome(over: job.world)
      try job.finalize()
      exit(status)
    } catch {
      complain("\(error)")
      exit(ExitStatus.inputOutput.rawValue)
    }
  }

  /// The exit status of this process, when all ranks end in order; otherwise does not return.
  private static func outcome(over ranks: borrowing Communicator) -> Int32 {
    do {
      return try perform(over: ranks).rawValue
    } catch let failure as Failure where failure.isShared {
      if ranks.isRoot { complain(failure.message) }
      // Should a rank be elsewhere after all, the others don't wait for it for ever.
      alarm(30)
      // Rank 0 has spoken before any other ends the job.
      try? ranks.barrier()
      if hasUnwrittenFile { ranks.abort(status: failure.status.rawValue) }
      return failure.status.rawValue
    } catch {
      abort(after: error, ranks)
    }
  }

  /// What the command line asks to be told: help, the version, a completion script; nil if it asks for work. Without
  /// MPI, so that it is told under any launcher.
  private static func helpText() -> String? {
    do {
      var command = try CommandLineInterface.parseAsRoot()
      guard !(command is any Subcommand) else { return nil }
      // `help` and nothing else.
      try command.run()
      return ""
    } catch {
      guard CommandLineInterface.exitCode(for: error).isSuccess else { return nil }
      return CommandLineInterface.fullMessage(for: error) + "\n"
    }
  }

  /// Parses the command line and does what it says. Usage errors appear once.
  private static func perform(over ranks: borrowing Communicator) throws -> ExitStatus {
    do {
      guard let command = try CommandLineInterface.parseAsRoot() as? any Subcommand else { return .done }
      return try command.run(over: ranks)
    } catch let error where isOfCommandLine(error) {
      if ranks.isRoot { write(CommandLineInterface.fullMessage(for: error) + "\n", to: STDERR_FILENO) }
      return .usage
    }
  }

  /// Whether the argument parser threw this, and not a subcommand at work.
  private static func isOfCommandLine(_ error: any Error) -> Bool {
    CommandLineInterface.exitCode(for: error) != .failure
  }

  /// Ends the whole job: one line that names the rank and its host, and a status that tells the kind of error.
  private static func abort(after error: any Error, _ ranks: borrowing Communicator) -> Never {
    let status: ExitStatus =
      switch error {
      case let failure as Failure: failure.status
      case is MPIError, is HDF5Error: .inputOutput
      default: .numericalFailure
      }
    let host = (try? ranks.hostName()) ?? "unknown host"
    let state = Progress.state
    let place = state.phase >= 0 ? ", \(state.place)" : ""
    complain("\(error)", of: ranks.size > 1 ? " on rank \(ranks.rank) (\(host))\(place)" : place)
    ranks.abort(status: status.rawValue)
  }

  private static func complain(_ message: String, of origin: String = "") {
    write("admm-mpi: error\(origin): \(message)\n", to: STDERR_FILENO)
  }
}

/// Writes all of `text`, made harmless, to a file descriptor, in one call if the system takes it, so that ranks' lines
/// don't mix.
func write(_ text: String, to descriptor: Int32) {
  var rest = Array(printable(text).utf8)[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if written < 0 && errno == EINTR { continue }
    guard written > 0 else { return }
    rest = rest.dropFirst(written)
  }
}
