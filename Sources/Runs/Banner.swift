import Basics
import Files
import Reports

/// What a run says before it trains: with what, where, on which data, what network.
public struct Banner: Sendable {
  public var launch: Launch
  /// Such as ("train", "data/higgs.h5, 10,500,000 samples"), in the order in which they are printed.
  public var data: [(name: String, text: String)]
  /// d_0 … d_L.
  public var widths: [Int]
  /// Such as "relu", "hinge", "bias".
  public var traits: [String]
  public var parameters: Int
  /// Such as "taylor, preset robust, 30 iterations, seed 1".
  public var method: String
  /// The predicted bytes of a rank.
  public var memory: Spread?
  /// Where the results go.
  public var directory: String?

  public init(
    _ launch: Launch, data: [(name: String, text: String)], widths: [Int], traits: [String], parameters: Int,
    method: String, memory: Spread? = nil, directory: String? = nil
  ) {
    self.launch = launch
    self.data = data
    self.widths = widths
    self.traits = traits
    self.parameters = parameters
    self.method = method
    self.memory = memory
    self.directory = directory
  }

  public var lines: [String] {
    let network =
      [widths.map(String.init).joined(separator: "-")] + traits + [counted(parameters, "parameter")]
    let own = [("network", network.joined(separator: ", ")), ("method", method)]
    let memory = memory.map { [("memory", memoryText($0))] } ?? []
    return launch.heading(data + own + memory + (directory.map { [("results", $0)] } ?? []))
  }

  private func memoryText(_ memory: Spread) -> String {
    let (least, mean, most) = (amount(memory.min), amount(memory.mean), amount(memory.max))
    return least == most ? "\(most) a rank" : "\(least) to \(most) a rank, \(mean) on average"
  }
}

extension Launch {
  /// The lines before all others: how the job was started, and `rows` of what it is about.
  package func heading(_ rows: [(name: String, text: String)]) -> [String] {
    let blas = [versions.blas, "kernel \(versions.blasKernel)", "1 thread a call"]
    var table = TextTable(["started", start + (slurmJob.map { ", Slurm job \($0)" } ?? "")], [.left, .left])
    table.add(["command", command])
    table.add(["ranks", "\(machine.summary): \(machine.hostList)"])
    table.add(["MPI", versions.mpi])
    table.add(["BLAS", blas.joined(separator: ", ")])
    table.add(["HDF5", versions.hdf5])
    for (name, text) in rows { table.add([name, text]) }
    return [versions.title] + table.lines.map { "  " + $0 }
  }
}
