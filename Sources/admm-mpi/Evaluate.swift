import ArgumentParser
import Basics
import MPI
import Runs

/// `admm-mpi evaluate MODEL DATA`.
struct Evaluate: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained model on a data set with labels.",
    discussion: """
      The model says what the classes are, and where the labels were in training; columns are taken by their names, in \
      any order, where model and data have names. How the file is laid out otherwise say the options, as [data] did.

      Example:
        mpirun -np 4 admm-mpi evaluate runs/higgs/model.h5 data/HIGGS-test.csv --json result.json
      """)

  @Argument(help: "The model, as a run leaves it: model.h5.", completion: .file(extensions: ["h5"]))
  var model: String

  @Argument(help: "The data set.", completion: .file())
  var data: String

  @OptionGroup(title: "Data options") var dataOptions: DataOptions

  @Option(help: ArgumentHelp("Write the results to this file, too.", valueName: "file"), completion: .file())
  var json: String?

  @Flag(name: .shortAndLong, help: "Print nothing but warnings and errors.")
  var quiet = false

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    try Runs.evaluate(
      modelPath: model, dataPath: data, settings: dataOptions.settings, jsonPath: json, isQuiet: quiet,
      over: ranks)
  }
}
