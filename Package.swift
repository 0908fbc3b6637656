// swift-tools-version: 6.2

import PackageDescription

/// `ADMM_WARNINGS_AS_ERRORS=1 swift build` turns every warning in this package's own code into an error.
let strict = Context.environment["ADMM_WARNINGS_AS_ERRORS"] == "1"
let settings: [SwiftSetting] = strict ? [.treatAllWarnings(as: .error)] : []

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, swiftSettings: settings)
}

/// The pkg-config name of a C library: Debian's by default, another by `PKG_MPI=mpich swift build` and so on.
func pkgConfig(_ variable: String, _ debian: String) -> String {
  Context.environment[variable] ?? debian
}

/// The commit that is built, for the banner and for run.json.
let commit = Context.environment["ADMM_COMMIT"] ?? "unknown"

let tomlKit = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "admm-mpi",
  products: [.executable(name: "admm-mpi", targets: ["admm-mpi"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    // C libraries: a module map and a header, nothing compiled.
    .systemLibrary(
      name: "COpenMPI", pkgConfig: pkgConfig("PKG_MPI", "ompi-c"),
      providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: pkgConfig("PKG_BLAS", "openblas"), providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CLAPACKE", pkgConfig: pkgConfig("PKG_LAPACKE", "lapacke"), providers: [.apt(["liblapacke-dev"])]),
    .systemLibrary(
      name: "CHDF5", pkgConfig: pkgConfig("PKG_HDF5", "hdf5-openmpi"),
      providers: [.apt(["libhdf5-openmpi-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // Vector operations: a header of inline functions.
    .systemLibrary(name: "CLanes"),

    // Compiled in: what `make` says of the commit. SwiftPM's own git information is cached and may be stale.
    .target(name: "CVersion", cSettings: [.define("ADMM_COMMIT", to: "\"\(commit)\"")]),

    // Arrows point down only; docs/architecture.md draws them.
    library("MPI", ["COpenMPI"]),
    library("LinearAlgebra", ["COpenBLAS", "CLAPACKE", "CLanes"]),
    library("HDF5", ["CHDF5", "MPI"]),
    library("ADMM", ["MPI", "LinearAlgebra"]),
    library("Baselines", ["ADMM", "MPI", "LinearAlgebra"]),
    library("Datasets", ["MPI", "LinearAlgebra", "HDF5", "CZlib"]),
    library("Runs", ["ADMM", "Baselines", "Datasets", "HDF5", "CCrypto", "CVersion", tomlKit]),
    .executableTarget(
      name: "admm-mpi", dependencies: ["Runs", argumentParser], swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["MPI", "LinearAlgebra"], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests("MPITests", ["MPI"]),
    tests("LinearAlgebraTests", ["LinearAlgebra"]),
    tests("HDF5Tests", ["HDF5"]),
    // Counts the heap allocations and the reductions of the test process.
    .target(name: "CCounters", dependencies: ["COpenMPI"], path: "Tests/CCounters"),
    tests("ADMMTests", ["ADMM", "CCounters"], exclude: ["accelerated.py", "consistent.py", "reference.py"]),
    tests("BaselinesTests", ["Baselines"]),
    tests("DatasetsTests", ["Datasets"], exclude: ["synthetic.py"]),
    tests("RunsTests", ["Runs"]),
    tests("EndToEndTests", ["admm-mpi"]),
  ],
  swiftLanguageModes: [.v6]
)
