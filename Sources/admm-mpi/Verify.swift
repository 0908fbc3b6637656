import ArgumentParser
import Basics
import MPI
import Studies

/// `admm-mpi verify`.
struct Verify: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Find out whether this program works on these hosts: a self-test for a new cluster.",
    discussion: """
      Checks arithmetic, messages, the same bits on any number of ranks, files, checkpoints, a kill and a resume, and \
      measures speeds. Start it as you would a run. Each check has a line, PASSED, FAILED or SKIPPED; a failure names \
      rank and host and says what to do.

      Examples:
        mpirun -n 4 admm-mpi verify --directory runs
        admm-mpi verify --quick

      Exit status: 0 all passed, 70 some failed, 74 some that tell of files failed and no others.
      """)

  @Option(
    help: ArgumentHelp(
      "Where files are tried out: where runs are to go. Nothing stays there.", valueName: "directory"),
    completion: .directory)
  var directory = "."

  @Flag(help: "Look at less: a few seconds.")
  var quick = false

  func validate() throws {
    guard directory != "" else { throw ValidationError("--directory needs a directory.") }
  }

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    try Studies.verify(directory: directory, isQuick: quick, over: ranks)
  }
}
