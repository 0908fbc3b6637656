import ArgumentParser
import Basics
import Configuration
import Glibc
import MPI
import Runs

/// `admm-mpi train CONFIG`, or `admm-mpi CONFIG`.
struct Train: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network as a configuration file says.",
    discussion: """
      Examples:
        mpirun -np 4 admm-mpi mine.toml
        admm-mpi mine.toml --set training.iterations=50 --set network.hidden=[100,50]
        admm-mpi --print-config > new.toml

      The least that a configuration needs is train in [data], a path. Open MPI refuses more ranks than cores unless \
      mpirun is told --oversubscribe.
      """)

  @Argument(help: "The configuration, a TOML file.", completion: .file(extensions: ["toml"]))
  var config: String?

  @Option(name: .customLong("set"), help: .replacing("taylor.beta=2"))
  var settings: [String] = []

  @Option(
    help: ArgumentHelp("The run directory, in place of output.directory.", valueName: "directory"),
    completion: .directory)
  var output: String?

  @Flag(help: "Print the configuration with all defaults, and train nothing.")
  var printConfig = false

  @Flag(
    help: "Read the configuration and the data as training would, predict the memory, and train nothing.")
  var check = false

  @Flag(
    help:
      "Go on with the run that its directory holds, from the newest checkpoint; begin where there is none.")
  var resume = false

  @Flag(name: .shortAndLong, help: "Print nothing but warnings, errors and a line with the result.")
  var quiet = false

  func validate() throws {
    guard output != "" else { throw ValidationError("--output needs a directory.") }
    guard !(printConfig && check) else {
      throw ValidationError("--print-config and --check exclude each other.")
    }
  }

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    guard let config else {
      guard printConfig else {
        throw ValidationError("Name a configuration file, such as mine.toml.")
      }
      if ranks.isRoot { write(Configuration().commented, to: STDOUT_FILENO) }
      return .done
    }
    var configuration = try Configuration.read(config, settings: settings, over: ranks)
    if let output { configuration.output.directory = output }
    if printConfig {
      if ranks.isRoot { write(configuration.commented, to: STDOUT_FILENO) }
      return .done
    }
    return check
      ? try Runs.check(configuration, over: ranks)
      : try Runs.train(configuration, from: config, resumes: resume, isQuiet: quiet, over: ranks)
  }
}
