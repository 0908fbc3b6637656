import ArgumentParser
import Basics
import MPI
import Reports
import Studies

/// `admm-mpi compare CONFIG…`.
struct Compare: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Run several configurations on one data set, each from several seeds, and compare them.",
    discussion: """
      Prints accuracy against seconds and against passes over the data, and the time to each threshold, as means over \
      the seeds, beside a linear model. Leaves the tables, every evaluated iterate (series.jsonl), and plots where \
      gnuplot is installed. All configurations must have the same [data]; the first seed draws the validation set.

      Examples:
        mpirun -np 4 admm-mpi compare configs/higgs-sample.toml configs/higgs-sample-accelerated.toml --seeds 3
        mpirun -np 4 admm-mpi compare a.toml b.toml --thresholds 64,66,68,70 --time-limit 10m --output runs/a-b
      """)

  @Argument(help: "The configurations, TOML files.", completion: .file(extensions: ["toml"]))
  var configs: [String]

  @Option(help: ArgumentHelp("How many seeds from 1, or which, as in 1,2,3.", valueName: "seeds"))
  var seeds = SeedList(list: [1, 2, 3, 4, 5])

  @Option(
    help: ArgumentHelp(
      "Accuracies in percent, or RMSEs, as in 64,66,68. Otherwise round numbers around what is reached.",
      valueName: "list"))
  var thresholds: NumberList?

  @Option(
    help: ArgumentHelp(
      "Training time of a run, as in 10m: short for --set stop.time_limit=….", valueName: "time"))
  var timeLimit: String?

  @Option(
    help: ArgumentHelp("Where the results go.", valueName: "directory"), completion: .directory)
  var output = "runs/compare"

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Replace a setting of every configuration. May be repeated.", valueName: "section.key=value"))
  var settings: [String] = []

  @Flag(help: "Replace the results of a former comparison.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "Print nothing but warnings and errors.")
  var quiet = false

  func validate() throws {
    let options = [
      "training.seed": "--seeds", "output.directory": "--output", "output.overwrite": "--overwrite",
    ]
    for setting in settings {
      let key = setting.prefix { $0 != "=" }.filter { $0 != " " }
      if let option = options[key] {
        throw ValidationError("--set \(setting): a comparison takes this from \(option).")
      }
    }
  }

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    let limit = timeLimit.map { ["stop.time_limit=\(Double($0) == nil ? quoted($0) : $0)"] } ?? []
    return try Studies.compare(
      CompareRequest(
        files: configs, settings: settings + limit, seeds: seeds.list, thresholds: thresholds?.list,
        directory: output, overwrite: overwrite),
      isQuiet: quiet, over: ranks)
  }
}

/// Seeds: how many from 1, or a list of different ones. A list of one ends with a comma.
struct SeedList: ExpressibleByArgument {
  let list: [UInt64]

  init(list: [UInt64]) { self.list = list }

  init?(argument: String) {
    if let count = Int(argument) {
      guard (1...1_000).contains(count) else { return nil }
      list = (1...UInt64(count)).map { $0 }
      return
    }
    let parts = argument.split(separator: ",").map { UInt64($0) }
    list = parts.compactMap { $0 }
    guard !list.isEmpty, list.count == parts.count, Set(list).count == list.count,
      list.allSatisfy({ $0 <= UInt64(Int.max) })
    else { return nil }
  }

  var defaultValueDescription: String { list.map(String.init).joined(separator: ",") }
}

/// Numbers separated by commas.
struct NumberList: ExpressibleByArgument {
  let list: [Double]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    list = parts.compactMap { $0 }
    guard list.count == parts.count && list.allSatisfy(\.isFinite) else { return nil }
  }
}
