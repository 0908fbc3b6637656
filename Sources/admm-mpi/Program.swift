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
      let request = request()
      if case .failure(let error) = request, CommandLineInterface.exitCode(for: error).isSuccess {
        if Launcher.speaks { write(CommandLineInterface.fullMessage(for: error) + "\n", to: STDOUT_FILENO) }
        exit(ExitStatus.done.rawValue)
      }
      let job = try Launcher.start()
      endInOrderWithoutMemory()
      sayWhereItEnds(job.world)
      let status = outcome(of: request, over: job.world)
      try job.finalize()
      exit(status)
    } catch {
      complain("\(error)")
      exit(ExitStatus.inputOutput.rawValue)
    }
  }

  /// The exit status of this process, when all ranks end in order; otherwise does not return.
  private static func outcome(
    of request: Result<any Subcommand, any Error>, over ranks: borrowing Communicator
  ) -> Int32 {
    do {
      return try perform(request, over: ranks).rawValue
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

  /// What the command line asks for. Without MPI, so that help, the version and completion scripts, which the parser
  /// throws, are told under any launcher.
  private static func request() -> Result<any Subcommand, any Error> {
    Result {
      var command = try CommandLineInterface.parseAsRoot()
      if let command = command as? any Subcommand { return command }
      // `help` and nothing else, which throws its text.
      try command.run()
      throw CleanExit.message("")
    }
  }

  /// Does what the command line says. Usage errors appear once.
  private static func perform(
    _ request: Result<any Subcommand, any Error>, over ranks: borrowing Communicator
  ) throws -> ExitStatus {
    do { return try request.get().run(over: ranks) } catch let error where isOfCommandLine(error) {
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
