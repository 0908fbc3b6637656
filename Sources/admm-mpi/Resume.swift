import ArgumentParser
import Basics
import Configuration
import MPI
import Runs

/// `admm-mpi resume DIRECTORY`.
struct Resume: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Go on with a run that was cut short, from its newest checkpoint.",
    discussion: """
      Examples:
        mpirun -np 4 admm-mpi resume runs/higgs
        mpirun -np 8 admm-mpi resume runs/higgs --set training.iterations=200

      The number of ranks and of threads may be another one: the weights' bits are those of a run that nobody \
      stopped. A run that came to its end has nothing to go on with, unless it left a checkpoint \
      (checkpoint.at_end) and more iterations are asked for.
      """)

  @Argument(help: "The run directory.", completion: .directory)
  var directory: String

  @Option(name: .customLong("set"), help: .replacing("training.iterations=200"))
  var settings: [String] = []

  @Flag(name: .shortAndLong, help: "Print nothing but warnings, errors and a line with the result.")
  var quiet = false

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    var configuration = try Configuration.read("\(directory)/config.toml", settings: settings, over: ranks)
    configuration.output.directory = directory
    return try Runs.train(configuration, resumes: true, isQuiet: quiet, over: ranks)
  }
}
