import ArgumentParser
import Reports
import Runs

/// The command line: one subcommand a file.
struct CommandLineInterface: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "admm-mpi",
    abstract: "Train neural networks by ADMM, and by gradient methods, on many ranks.",
    discussion: """
      Under mpirun all ranks share the work; without it the job has one rank.

      Examples:
        mpirun -np 4 admm-mpi configs/higgs.toml
        mpirun -np 4 admm-mpi evaluate runs/higgs/model.h5 data/HIGGS-test.csv

      Exit status: 0 done, 64 wrong command line, 65 bad data, 66 no input, 70 numerical failure, 71 too little \
      memory, 74 reading or writing failed, 75 stopped early with a checkpoint, 78 wrong configuration.
      """,
    version: versionText,
    subcommands: [
      Train.self, Resume.self, Evaluate.self, Predict.self, Convert.self, Describe.self, Compare.self,
      Bench.self, Slurm.self, Verify.self,
    ],
    defaultSubcommand: Train.self)
}

extension ArgumentHelp {
  /// That of the option --set.
  static func replacing(_ example: String) -> ArgumentHelp {
    ArgumentHelp("Replace a setting, as in \(example). May be repeated.", valueName: "section.key=value")
  }
}

/// The program's version and those of the libraries that it runs with, a line each.
private var versionText: String {
  let versions = Versions.current
  return """
    \(versions.title)
    MPI: \(versions.mpi)
    BLAS: \(versions.blas), kernel \(versions.blasKernel)
    HDF5: \(versions.hdf5)
    """
}
