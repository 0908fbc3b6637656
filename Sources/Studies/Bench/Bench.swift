import ADMM
import Basics
import Configuration
import Datasets
import Files
import LinearAlgebra
import MPI
import Networks
import Reports

/// What `admm-mpi bench` is asked for.
public struct BenchRequest: Sendable {
  /// Gives the hidden widths, activation, loss and bias, and with its data the features and outputs.
  public var configuration: Configuration?
  /// The configuration's file.
  public var configurationPath: String?
  /// d_0 … d_L, in place of the configuration's.
  public var widths: [Int]?
  /// d_0, in place of the data's.
  public var features: Int?
  /// d_L, in place of what the configuration tells.
  public var outputs: Int?
  /// How long a measurement goes on.
  public var seconds: Double
  /// A file for the results, replaced if it is there.
  public var jsonPath: String?

  /// Without a configuration and widths: the paper's network for HIGGS.
  public init(
    configuration: Configuration? = nil, configurationPath: String? = nil, widths: [Int]? = nil,
    features: Int? = nil, outputs: Int? = nil,
    seconds: Double = 0.5, jsonPath: String? = nil
  ) {
    self.configuration = configuration
    self.configurationPath = configurationPath
    self.widths = widths
    self.features = features
    self.outputs = outputs
    self.seconds = seconds
    self.jsonPath = jsonPath
  }
}

/// Measures on all ranks at once what an iteration is made of, and prints a table. Collective.
///
/// - Throws: a shared `Failure` where the configuration's data can't be looked at, or the file can't be written.
public func bench(
  _ request: BenchRequest, isQuiet: Bool, over ranks: borrowing Communicator
) throws -> ExitStatus {
  let console = Console(isQuiet: isQuiet, ranks)
  let inputs = [request.configurationPath].compactMap { $0 } + (request.configuration?.data.inputPaths ?? [])
  let output = try request.jsonPath.map { try PendingFile($0, force: true, keeping: inputs, over: ranks) }
  setBLASThreads(1)
  let launch = try Launch(threads: 1, over: ranks)
  let misplaced = launch.warnings
  misplaced.forEach(console.warn)
  let network = try request.network(console, over: ranks)
  let tile = Taylor.tileColumns(network)
  let watch = Stopwatch(seconds: request.seconds)
  console.print(header(launch, network, tile: tile))

  console.progress("products")
  var measurements = try measureSquares(watch, over: ranks)
  let speeds = measurements.map(\.speed)
  if misplaced.isEmpty { launch.machine.slowProducts(speeds[0]).map(console.warn) }
  let peak = speeds.map(\.median).max() ?? .nan
  measurements += try measureProducts(network, tile: tile, watch, over: ranks)
  console.progress("updates")
  measurements += try measureUpdates(network, tile: tile, watch, over: ranks)
  console.progress("memory")
  measurements.append(
    try measureMemory(watch, ranksOnHost: launch.machine.hosts.map(\.ranks).max() ?? 1, over: ranks))
  console.progress("reductions")
  measurements += try measureReductions(watch, message: LayerSum.messageWords(network), over: ranks)

  console.print(
    [""] + Measurement.lines(measurements, peak: peak, hosts: launch.machine.hostOfRank))
  if ranks.size == 1 {
    console.print(["", "One rank has nobody to sum with: start more to time reductions."])
  }
  if let output {
    let result = json(request, launch, network, tile: tile, measurements, warnings: console.warnings)
    try output.write(result.document, over: ranks)
  }
  return .done
}

/// What the file of `--json` holds.
private func json(
  _ request: BenchRequest, _ launch: Launch, _ network: Network, tile: Int, _ measurements: [Measurement],
  warnings: [String]
) -> JSON {
  .object([
    "start": .string(launch.start), "command": .string(launch.command),
    "slurm_job_id": launch.slurmJob.map { .string($0) }, "ranks": .integer(launch.machine.ranks),
    "hosts": launch.machine.hostsJSON, "warnings": .array(warnings.map { .string($0) }),
    "versions": launch.versions.json, "layers": .array(network.widths.map { .integer($0) }),
    "tile": .integer(tile),
    "bytes_reduced_per_iteration": .integer(LayerSum.messageWords(network) * MemoryLayout<Int64>.size),
    "seconds": .number(request.seconds),
    "measurements": .array(measurements.map(\.json)),
  ])
}

/// Where, with what, for which network.
private func header(_ launch: Launch, _ network: Network, tile: Int) -> [String] {
  var table = TextTable(["ranks", "\(launch.machine.summary): \(launch.machine.hostList)"], [.left, .left])
  table.add(["MPI", launch.versions.mpi])
  table.add(["BLAS", "\(launch.versions.blas), kernel \(launch.versions.blasKernel), 1 thread a call"])
  table.add([
    "network",
    "\(network.widths.map(String.init).joined(separator: "-")), \(network.activation), \(network.loss)"
      + (network.bias ? ", bias" : ""),
  ])
  table.add(["tile", counted(tile, "sample")])
  return [launch.versions.title] + table.lines.map { "  " + $0 }
}

extension BenchRequest {
  /// The network whose iteration is taken apart. Collective.
  fileprivate func network(_ console: Console, over ranks: borrowing Communicator) throws -> Network {
    var settings = configuration ?? Configuration()
    // Without a configuration the paper's.
    if configuration == nil { (settings.network.hidden, settings.network.loss) = ([300], .hinge) }
    if let widths {
      settings.network.hidden = Array(widths.dropFirst().dropLast())
      return settings.network(features: widths[0], outputs: widths[widths.count - 1])
    }
    guard configuration != nil else {
      return settings.network(features: features ?? 28, outputs: outputs ?? 1)
    }
    let features: Int
    if let given = self.features ?? settings.data.generator?.features {
      features = given
    } else if let source = settings.data.trainSource {
      features = try preview(source, over: ranks).features
    } else {
      throw Failure(.badConfiguration, Configuration.noTrainingSet, isShared: true)
    }
    let outputs = outputs ?? settings.outputs
    if outputs == nil {
      console.print(
        "The configuration does not tell the number of classes: 1 output. Give --outputs for more.")
    }
    return settings.network(features: features, outputs: outputs ?? 1)
  }
}
