import ArgumentParser
import Basics
import MPI
import Runs

/// `admm-mpi predict MODEL DATA --output FILE`.
struct Predict: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Apply a trained model to a data set.",
    discussion: """
      A .csv file gets a line a sample, in the order of the data: the scores, and the class. A .h5 file gets the \
      datasets "scores" and "classes"; classes are numbers from 0, in the order of the dataset "class_names". A regression gets \
      "prediction" or "predictions" alone. Data without labels: --label-column none. In a .csv file a class that a \
      spreadsheet would take for a formula, such as "=x", begins with an apostrophe.

      Example:
        mpirun -np 4 admm-mpi predict runs/higgs/model.h5 data/HIGGS-test.csv --output predictions.csv
      """)

  @Argument(help: "The model, as a run leaves it: model.h5.", completion: .file(extensions: ["h5"]))
  var model: String

  @Argument(help: "The data set.", completion: .file())
  var data: String

  @OptionGroup(title: "Data options") var dataOptions: DataOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the predictions go: a .csv or .h5 file.", valueName: "file"),
    completion: .file(extensions: ["csv", "h5"]))
  var output: String

  @Flag(help: "Write over an existing file.")
  var force = false

  @Flag(name: .shortAndLong, help: "Print nothing but warnings and errors.")
  var quiet = false

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    try Runs.predict(
      modelPath: model, dataPath: data, settings: dataOptions.settings, outputPath: output, force: force,
      isQuiet: quiet, over: ranks)
  }
}
