import ArgumentParser
import Basics
import Configuration
import MPI
import Studies

/// `admm-mpi bench [CONFIG]`.
struct Bench: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure what an iteration is made of, on all ranks at once.",
    discussion: """
      Matrix products of a network's shapes, the loops of its updates, memory bandwidth, and sums over the ranks. \
      Without a configuration the network is 28-300-1. Start it as you would a run: one rank a core.

      Examples:
        mpirun -np 4 admm-mpi bench configs/higgs.toml --features 28
        mpirun -np 4 admm-mpi bench --widths 784-300-10 --json bench.json
      """)

  @Argument(help: "A configuration, a TOML file.", completion: .file(extensions: ["toml"]))
  var config: String?

  @Option(name: .customLong("set"), help: .replacing("network.hidden=[100,50]"))
  var settings: [String] = []

  @Option(help: ArgumentHelp("The network's widths, from features to outputs.", valueName: "28-300-1"))
  var widths: Widths?

  @Option(
    help: ArgumentHelp("How many features; otherwise those of the configuration's data.", valueName: "n"))
  var features: Int?

  @Option(help: ArgumentHelp("How many outputs, where the configuration doesn't tell.", valueName: "n"))
  var outputs: Int?

  @Option(help: ArgumentHelp("How long a measurement goes on.", valueName: "s"))
  var seconds = 0.5

  @Option(help: ArgumentHelp("Write the results to this file, too.", valueName: "file"), completion: .file())
  var json: String?

  @Flag(name: .shortAndLong, help: "Print nothing but warnings and errors.")
  var quiet = false

  func validate() throws {
    guard seconds > 0 && seconds <= 3600 else { throw ValidationError("--seconds is from above 0 to 3600.") }
    guard (1...1_000_000).contains(features ?? 1) && (1...1_000_000).contains(outputs ?? 1) else {
      throw ValidationError("--features and --outputs are from 1 to 1000000.")
    }
    guard widths == nil || (features == nil && outputs == nil) else {
      throw ValidationError("--widths already says how many features and outputs there are.")
    }
    guard config != nil || settings.isEmpty else {
      throw ValidationError("--set replaces a setting of a configuration: name its file.")
    }
  }

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    let configuration: Configuration?
    if let config {
      configuration = try Configuration.read(config, settings: settings, over: ranks)
    } else {
      configuration = nil
    }
    return try Studies.bench(
      BenchRequest(
        configuration: configuration, configurationPath: config, widths: widths?.list, features: features,
        outputs: outputs, seconds: seconds, jsonPath: json),
      isQuiet: quiet, over: ranks)
  }
}

/// Widths in one word, as in 28-300-1.
struct Widths: ExpressibleByArgument {
  let list: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    list = parts.compactMap { $0 }
    guard list.count == parts.count && list.count >= 2 && list.allSatisfy({ (1...1_000_000).contains($0) })
    else {
      return nil
    }
  }
}
