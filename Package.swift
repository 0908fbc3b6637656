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

/// What the suites of the numerical modules are built on.
let numeric: [Target.Dependency] = [
  "Basics", "CCounters", "Definitions", "LinearAlgebra", "MPI", "Networks", "NetworkSupport", "Sums",
]

/// The pkg-config name of a C library: Debian's by default, another by `PKG_MPI=mpich swift build` and so on.
func pkgConfig(_ variable: String, _ debian: String) -> String {
  Context.environment[variable] ?? debian
}

let mpi = pkgConfig("PKG_MPI", "ompi-c")
let hdf5 = pkgConfig("PKG_HDF5", mpi.hasPrefix("mpich") ? "hdf5-mpich" : "hdf5-openmpi")

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
      name: "CMPI", pkgConfig: mpi, providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: pkgConfig("PKG_BLAS", "openblas"), providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CLAPACKE", pkgConfig: pkgConfig("PKG_LAPACKE", "lapacke"), providers: [.apt(["liblapacke-dev"])]),
    .systemLibrary(
      name: "CHDF5", pkgConfig: hdf5, providers: [.apt(["libhdf5-openmpi-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // Vector operations: a header of inline functions.
    .systemLibrary(name: "CLanes"),

    // Compiled in: what `make` says of the commit. SwiftPM's own git information is cached and may be stale.
    .target(name: "CVersion", cSettings: [.define("ADMM_COMMIT", to: "\"\(commit)\"")]),

    // Arrows point down only; docs/architecture.md draws them.
    library("Basics", []),
    library("Settings", ["Basics"]),
    library("MPI", ["Basics", "CMPI"]),
    library("LinearAlgebra", ["COpenBLAS", "CLAPACKE", "CLanes"]),
    library("HDF5", ["Basics", "Files", "MPI", "CHDF5"]),
    library("Files", ["Basics", "MPI", "CCrypto", "CZlib"]),
    library("Sums", ["Basics", "MPI", "LinearAlgebra"]),
    library("Networks", ["Basics", "Settings", "MPI", "LinearAlgebra", "Sums"]),
    library("Definitions", ["Networks"]),
    library("ADMM", ["Basics", "Settings", "MPI", "LinearAlgebra", "Sums", "Networks"]),
    library("Optimizers", ["Basics", "Settings", "MPI", "LinearAlgebra", "Sums", "Networks"]),
    library("Datasets", ["Basics", "Settings", "Files", "MPI", "LinearAlgebra", "HDF5", "Sums", "CZlib"]),
    library("Reports", ["Basics", "Files", "MPI", "LinearAlgebra", "HDF5", "CVersion"]),
    library(
      "Configuration",
      [
        "Basics", "Settings", "Files", "MPI", "ADMM", "Optimizers", "Networks", "Datasets", tomlKit,
      ]),
    library(
      "Models",
      ["Basics", "Files", "MPI", "LinearAlgebra", "HDF5", "Sums", "Networks", "Datasets", "Reports"]),
    library(
      "Runs",
      [
        "Basics", "Files", "MPI", "LinearAlgebra", "HDF5", "Sums", "Networks", "Optimizers",
        "Datasets", "Reports", "Configuration", "Models",
      ]),
    library(
      "Studies",
      [
        "Basics", "Files", "MPI", "LinearAlgebra", "HDF5", "Sums", "Networks", "Definitions", "ADMM",
        "Optimizers",
        "Datasets", "Reports", "Configuration", "Models", "Runs",
      ]),
    .executableTarget(
      name: "admm-mpi",
      dependencies: [
        "Basics", "Datasets", "HDF5", "MPI", "Reports", "Configuration", "Runs", "Studies", argumentParser,
      ], swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["Basics", "MPI", "LinearAlgebra"], path: "Tests/TestSupport",
      swiftSettings: settings),
    // Problems to train on, and the definitions of the mathematics in plain loops.
    .target(
      name: "NetworkSupport",
      dependencies: ["CCounters", "Definitions", "MPI", "LinearAlgebra", "Sums", "Networks", "TestSupport"],
      path: "Tests/NetworkSupport", swiftSettings: settings),
    // Counts the heap allocations and the reductions of the test process.
    .target(name: "CCounters", dependencies: ["CMPI"], path: "Tests/CCounters"),
    tests("MPITests", ["Basics", "MPI"]),
    tests("LinearAlgebraTests", ["LinearAlgebra"]),
    tests("HDF5Tests", ["Basics", "Files", "HDF5", "MPI"]),
    tests("SumsTests", ["Basics", "CCounters", "LinearAlgebra", "MPI", "Sums"]),
    tests("NetworksTests", numeric),
    tests("ADMMTests", numeric + ["ADMM"], exclude: ["consistent.py", "reference.py"]),
    tests("OptimizersTests", numeric + ["Optimizers"], exclude: ["accelerated.py"]),
    tests(
      "DatasetsTests", ["Basics", "Datasets", "Files", "HDF5", "LinearAlgebra", "MPI", "Settings", "Sums"],
      exclude: ["synthetic.py"]),
    tests("FilesTests", ["Basics", "Files", "MPI"]),
    tests("ReportsTests", ["Basics", "MPI", "Reports"]),
    tests(
      "ConfigurationTests",
      ["ADMM", "Basics", "Configuration", "Datasets", "MPI", "Networks", "Optimizers", "Settings", "Sums"]),
    tests(
      "ModelsTests",
      ["Basics", "Datasets", "HDF5", "LinearAlgebra", "Models", "MPI", "Networks", "Reports", "Sums"]),
    tests(
      "RunsTests",
      [
        "ADMM", "Basics", "Configuration", "Datasets", "Files", "HDF5", "LinearAlgebra", "Models", "MPI",
        "Networks", "NetworkSupport", "Optimizers", "Reports", "Runs", "Sums",
      ]),
    tests("StudiesTests", ["Basics", "Configuration", "MPI", "Reports", "Runs", "Studies"]),
    tests("VerifyTests", ["Basics", "LinearAlgebra", "MPI", "Networks", "Reports", "Studies"]),
    tests("EndToEndTests", ["admm-mpi"]),

    // What reads what others wrote: an entry point each, for libFuzzer and for the tests that replay its finds.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Basics", "Configuration", "Datasets", "Files", "LinearAlgebra", "MPI", "Models", "TestSupport",
      ],
      path: "Tests/FuzzTargets", swiftSettings: settings),
    tests(
      "FuzzTests",
      ["Basics", "Datasets", "Files", "FuzzTargets", "LinearAlgebra", "MPI", "Models", "Networks"],
      exclude: ["Corpus", "samples.csv.gz"]),
  ],
  swiftLanguageModes: [.v6]
)

// libFuzzer brings its own `main`: the target is there only where `make fuzz` asks for it.
if Context.environment["ADMM_FUZZ"] == "1" {
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["FuzzTargets", "TestSupport"], path: "Tests/FuzzDriver",
      swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}
