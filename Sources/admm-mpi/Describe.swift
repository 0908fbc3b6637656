import ArgumentParser
import Basics
import MPI
import Runs

/// `admm-mpi describe DATA`.
struct Describe: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Count a data set's samples and classes, and show each column's range.",
    discussion: """
      Missing values and columns that never change are pointed out.

      Example:
        admm-mpi describe data/HIGGS-train.csv --label-column 1
      """)

  @Argument(help: "The data set.", completion: .file())
  var data: String

  @OptionGroup(title: "Data options") var dataOptions: DataOptions

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    try Runs.describe(dataPath: data, settings: dataOptions.settings, over: ranks)
  }
}
