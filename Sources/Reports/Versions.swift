import CVersion
import HDF5
import LinearAlgebra
import MPI

/// What a run was made with, for the banner and for run.json.
public struct Versions: Sendable, Equatable {
  /// This program's version.
  public static let program = "0.1.0"

  /// The version of the Swift compiler that built the program.
  public static var swift: String {
    #if compiler(>=6.5)
      "6.5 or later"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  /// The git commit that the program was built from, or "unknown".
  public var commit: String
  public var mpi: String
  public var blas: String
  /// The processor that BLAS runs its kernels for.
  public var blasKernel: String
  public var hdf5: String

  public init(commit: String, mpi: String, blas: String, blasKernel: String, hdf5: String) {
    self.commit = commit
    self.mpi = mpi
    self.blas = blas
    self.blasKernel = blasKernel
    self.hdf5 = hdf5
  }

  /// The versions of this program and of the libraries that it runs with. Local.
  public static var current: Versions {
    let blas = blasDescription()
    return Versions(
      commit: String(cString: source_commit()), mpi: Job.libraryVersion(), blas: blas.version,
      blasKernel: blas.kernel, hdf5: hdf5Version())
  }

  /// "admm-mpi 0.1.0 (commit 1a2b3c4, Swift 6.3)".
  public var title: String { "admm-mpi \(Self.program) (commit \(commit), Swift \(Self.swift))" }

  public var json: JSON {
    .object([
      "program": .string(Self.program), "commit": .string(commit), "swift": .string(Self.swift),
      "mpi": .string(mpi), "blas": .string(blas), "blas_kernel": .string(blasKernel), "hdf5": .string(hdf5),
    ])
  }
}
