import ArgumentParser
import Basics
import MPI
import Runs

/// `admm-mpi convert INPUT OUTPUT.h5`.
struct Convert: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn a data set into an HDF5 file, which many ranks read at once.",
    discussion: """
      Example:
        mpirun -np 4 admm-mpi convert HIGGS.csv.gz data/HIGGS.h5
      """)

  @Argument(help: "A data set: CSV, IDX or HDF5, plain or gzipped.", completion: .file())
  var input: String

  @Argument(help: "The HDF5 file to make.", completion: .file(extensions: ["h5"]))
  var output: String

  @OptionGroup(title: "Data options") var dataOptions: DataOptions

  @Flag(help: "Write over an existing file.")
  var force = false

  @Flag(name: .shortAndLong, help: "Print nothing but warnings and errors.")
  var quiet = false

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    try Runs.convert(
      inputPath: input, outputPath: output, settings: dataOptions.settings, force: force, isQuiet: quiet,
      over: ranks)
  }
}
