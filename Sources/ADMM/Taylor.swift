import LinearAlgebra
import MPI
import Networks
import Sums

/// Method `taylor`: the variables of Algorithm 1 and what a sweep works with.
///
/// The variables have the paper's names and shapes (algorithm.md §1). `z`, `lambda`, `y` hold this rank's samples, a sample a
/// column; `W` is the same, to the bit, on every rank. a_l is a function of z_l, z_{l+1} and W_{l+1}: it is made in the tile where it
/// is needed, twice a sweep, and kept only where that costs more than to store and load it. `Sweep.swift` has the algorithm.
public struct Taylor: ~Copyable, TrainingMethod {
  /// The network that is trained.
  public let network: Network
  /// β, γ, ridge and so on.
  public let settings: TaylorSettings
  /// Who owns which samples.
  public let partition: Partition
  /// Decides every random number.
  let seed: UInt64

  /// W_l, d_l × (d_{l−1} + 1), l = 1 … L.
  public internal(set) var W: Layers<Matrix<Float>>
  /// z_l, d_l × n, l = 1 … L; padded to whole vectors for l < L.
  package internal(set) var z: Layers<Matrix<Float>>
  /// λ, d_L × n.
  package internal(set) var lambda: Matrix<Float>
  /// a_l of the next sweep over a row of ones, (d_l + 1) × n, padded, l = 1 … L−1; empty where it is not stored.
  package internal(set) var storedActivations: Layers<Matrix<Float>>
  /// Whether a_l is stored, by l; the entry for 0 has no meaning.
  package let isStored: [Bool]
  /// Whether the tile of a_l has z_{l+1} below it, so that one product brings both sums for W_{l+1}; by l.
  let isStacked: [Bool]
  /// a_0, the data over a row of ones. Not owned.
  let a0: Tile<Float>
  /// y, d_L × n. Not owned.
  let y: Tile<Float>

  /// How many sweeps have been done.
  public internal(set) var sweeps = 0
  /// What the log should say of the last sweep, such as a raised ridge. Whoever reports empties it.
  public var events: [String] = []
  /// Where the time of all sweeps went.
  public internal(set) var seconds = SweepSeconds()

  /// Brings the sums for all W_l in one message.
  var sums: LayerSums
  /// a_{l−1} a_{l−1}ᵀ + ρ_l I, l = 1 … L. That of the data is reduced and factored once a run.
  var systems: Layers<WeightSystem>
  /// Where W_l is solved for, l = 1 … L.
  let solved: Layers<Matrix<Double>>
  /// W_1 as products read it.
  let firstWeights: Panels
  /// W_{l+1} made ready, l = 1 … L−1: of this sweep and of the one before, whose a_l may be asked for again.
  var steps, formerSteps: Layers<ActivationStep>
  let team: ThreadTeam
  let workspaces: [Workspace]
  /// Most samples a tile.
  public let tileColumns: Int

  /// L.
  var L: Int { network.L }

  /// Makes the start values, their sums and the first W. Collective; some 4 reductions.
  ///
  /// - Parameters:
  ///   - seed: decides every random number.
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  ///   - threads: how many threads share this rank's chunks. The bits don't depend on it.
  ///   - tileColumns: how many samples a tile has; `nil` goes by the cache. The weights' bits don't depend on it.
  /// - Throws: a numerical `Failure`, shared by all ranks, if the data's sums are not finite.
  public static func start(
    _ network: Network, _ settings: TaylorSettings, seed: UInt64 = 1, a0: Tile<Float>, y: Tile<Float>,
    partition: Partition, threads: Int = 1, tileColumns: Int? = nil, over ranks: borrowing Communicator
  ) throws -> Taylor {
    let system = try WeightSystem.ofData(
      a0.rows(0..<network.inputs(1)), network, ridge: settings.ridge, partition, over: ranks)
    // The least of all hosts', so that reported sums are rounded in the same places everywhere.
    let columns = try ranks.min(tileColumns ?? Self.tileColumns(network))
    var taylor = Taylor(
      network, settings.spelledOut(for: network), seed, a0, y, partition, rank: ranks.rank,
      team: try ThreadTeam(count: threads), tileColumns: columns)
    taylor.systems[1] = system
    try taylor.begin(over: ranks)
    return taylor
  }

  private init(
    _ network: Network, _ settings: TaylorSettings, _ seed: UInt64, _ a0: Tile<Float>, _ y: Tile<Float>,
    _ partition: Partition, rank: Int, team: ThreadTeam, tileColumns: Int
  ) {
    let (L, d) = (network.L, network.widths)
    let n = partition.range(of: rank).count
    precondition(settings.beta.values(L).allSatisfy { $0 > 0 }, "beta \(settings.beta)")
    precondition(settings.gamma.values(L - 1).allSatisfy { $0 > 0 }, "gamma \(settings.gamma)")
    precondition(a0.rows == d[0] + 1 && a0.columns == n, "a_0 is \(a0.rows) × \(a0.columns)")
    precondition(y.rows == d[L] && y.columns == n, "y is \(y.rows) × \(y.columns)")
    let isStored = settings.storage.isStored(network)
    self.network = network
    self.settings = settings
    self.partition = partition
    self.seed = seed
    self.a0 = a0
    self.y = y
    self.isStored = isStored
    self.tileColumns = tileColumns
    W = network.zeroWeights()
    z = Layers(1..<L + 1) { l in Matrix(rows: l < L ? paddedRows(d[l]) : d[l], columns: n) }
    lambda = Matrix(rows: d[L], columns: n)
    storedActivations = Layers(1..<L) { l in Matrix(rows: paddedRows(d[l] + 1), columns: isStored[l] ? n : 0)
    }
    steps = Layers(1..<L) { l in ActivationStep(from: d[l + 1], to: d[l], hasBias: network.bias) }
    formerSteps = Layers(1..<L) { l in ActivationStep(from: d[l + 1], to: d[l], hasBias: network.bias) }
    let isStacked = (0..<L).map {
      $0 > 0 && !isStored[$0] && ActivationStep.stacksOutputs(from: d[$0 + 1], to: d[$0])
    }
    self.isStacked = isStacked
    sums = LayerSums(network.sums, network, partition, threads: team.count, isStacked: { isStacked[$0] })
    systems = Layers(1..<L + 1) { l in WeightSystem(size: network.inputs(l)) }
    solved = Layers(1..<L + 1) { l in Matrix(rows: d[l], columns: network.inputs(l)) }
    firstWeights = Panels(rows: d[1], columns: network.inputs(1))
    self.team = team
    workspaces = (0..<team.count).map { thread in
      Workspace(network, thread: thread, columns: tileColumns) { isStored[$0] }
    }
  }
}

/// Whether a_l is kept between two visits of a tile.
public enum ActivationStorage: String, CaseIterable, Sendable, Codable {
  /// Where that costs less than to compute it twice.
  case automatic = "auto"
  /// Always: 4 (d_l + 1) bytes a sample and hidden layer more.
  case stored
  /// Never: the least memory.
  case recomputed

  /// For a core that does 16 operations in the time of a byte to or from memory: a_l costs `ActivationStep.flops` to compute and 8 d_l bytes
  /// to store and load.
  static let flopsPerByte = 16

  /// Whether to store a_l, by l; the entry for 0 has no meaning.
  package func isStored(_ network: Network) -> [Bool] {
    (0..<network.L).map { l in
      guard l > 0 else { return false }
      return switch self {
      case .stored: true
      case .recomputed: false
      case .automatic:
        ActivationStep.flops(from: network.widths[l + 1], to: network.widths[l])
          > Self.flopsPerByte * 8 * network.widths[l]
      }
    }
  }
}
