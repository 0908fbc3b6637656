import LinearAlgebra
import MPI

/// How Algorithm 1 starts.
public enum Start: String, CaseIterable, Sendable, Codable {
  /// Every entry of a_l and z_l is an independent N(0, 1) number: the paper's.
  case gaussian
  /// W_l has independent N(0, 2 / d_{l−1}) entries, and one forward pass gives z_l and a_l.
  case forward
}

/// The settings of Algorithm 1.
public struct TaylorSettings: Sendable, Equatable {
  /// β_1 … β_L > 0: the penalties on z_l = W_l a_{l−1}.
  public var beta: [Float]
  /// γ_1 … γ_{L−1} > 0: the penalties on a_l = h(z_l).
  public var gamma: [Float]
  /// ρ_l is this times the mean of the Gram matrix's diagonal.
  public var ridge: Double
  /// How many sweeps λ stays 0.
  public var warmStart: Int
  /// Whether λ is updated at all.
  public var hasMultiplier: Bool
  /// s in λ ← λ + s β_L (z_L − W_L a_{L−1}): 1 in the paper; 2 is the step of the exact multiplier.
  public var dualStep: Float
  /// How a_l and z_l begin.
  public var start: Start
  /// Decides every random number.
  public var seed: UInt64

  /// All settings.
  public init(
    beta: [Float], gamma: [Float], ridge: Double, warmStart: Int, hasMultiplier: Bool, dualStep: Float,
    start: Start, seed: UInt64
  ) {
    self.beta = beta
    self.gamma = gamma
    self.ridge = ridge
    self.warmStart = warmStart
    self.hasMultiplier = hasMultiplier
    self.dualStep = dualStep
    self.start = start
    self.seed = seed
  }
}

/// Method `taylor`: the variables of Algorithm 1 and what a sweep works with.
///
/// The variables have the paper's names and shapes (algorithm.md §1). `a`, `z`, `lambda`, `y` hold this rank's samples, a sample
/// a column; `W` is the same, to the bit, on every rank. `Sweep.swift` has the algorithm.
public struct Taylor: ~Copyable {
  /// The network that is trained.
  public let network: Network
  /// β, γ, ridge and so on.
  public let settings: TaylorSettings
  /// Who owns which samples.
  public let partition: Partition

  /// W_l, d_l × (d_{l−1} + 1), l = 1 … L.
  public internal(set) var W: Layers<Matrix<Float>>
  /// a_l over a row of ones, (d_l + 1) × n, l = 1 … L−1.
  public internal(set) var a: Layers<Matrix<Float>>
  /// z_l, d_l × n, l = 1 … L.
  public internal(set) var z: Layers<Matrix<Float>>
  /// λ, d_L × n.
  public internal(set) var lambda: Matrix<Float>
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

  /// Message l brings the sums for W_l, l = 2 … L; the one for W_2 also those for the next W_1. With L = 1 there is only that.
  var messages: Layers<SharedSums>
  /// a_0 a_0ᵀ + ρ_1 I, reduced and factored once a run.
  var dataSystem: WeightSystem
  /// W_{l+1} made ready for the update of a_l, l = 1 … L−1.
  var activationSteps: Layers<ActivationStep>
  /// Room for W_l a_{l−1} or z_{l+1} − W_{l+1} h(z_l) of one tile.
  let work: Matrix<Float>
  let scratch: Matrix<Double>

  /// Most samples a tile: few enough to stay in a core's cache, enough for fast products.
  static let tileColumns = 256

  /// L.
  var L: Int { network.L }

  /// Makes the start values, their sums and the first W. Collective; 3 reductions for L = 2.
  ///
  /// - Parameters:
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  /// - Throws: a numerical `Failure`, shared by all ranks, if the data's sums are not finite.
  public static func start(
    _ network: Network, _ settings: TaylorSettings, a0: Tile<Float>, y: Tile<Float>, partition: Partition,
    over ranks: borrowing Communicator
  ) throws -> Taylor {
    let system = try WeightSystem(
      ofData: a0.rows(0..<network.inputs(1)), network, ridge: settings.ridge, partition, over: ranks)
    var taylor = Taylor(network, settings, a0, y, partition, rank: ranks.rank, dataSystem: system)
    try taylor.begin(over: ranks)
    return taylor
  }

  private init(
    _ network: Network, _ settings: TaylorSettings, _ a0: Tile<Float>, _ y: Tile<Float>,
    _ partition: Partition,
    rank: Int, dataSystem: consuming WeightSystem
  ) {
    let (L, d) = (network.L, network.widths)
    let n = partition.range(of: rank).count
    precondition(settings.beta.count == L && settings.beta.allSatisfy { $0 > 0 }, "beta \(settings.beta)")
    precondition(
      settings.gamma.count == L - 1 && settings.gamma.allSatisfy { $0 > 0 }, "gamma \(settings.gamma)")
    precondition(a0.rows == d[0] + 1 && a0.columns == n, "a_0 is \(a0.rows) × \(a0.columns)")
    precondition(y.rows == d[L] && y.columns == n, "y is \(y.rows) × \(y.columns)")
    self.network = network
    self.settings = settings
    self.partition = partition
    self.a0 = a0
    self.y = y
    W = network.zeroWeights()
    a = Layers(1..<L) { l in Matrix(rows: d[l] + 1, columns: n) }
    z = Layers(1..<L + 1) { l in Matrix(rows: d[l], columns: n) }
    lambda = Matrix(rows: d[L], columns: n)
    messages = Layers((L == 1 ? 1 : 2)..<L + 1) { l in
      SharedSums(
        L == 1 ? [.product(1)] : [.gram(l - 1), .product(l)] + (l == 2 ? [.product(1)] : []), network,
        partition)
    }
    activationSteps = Layers(1..<L) { l in ActivationStep(from: d[l + 1], to: d[l]) }
    work = Matrix(rows: d.dropFirst().max() ?? 1, columns: Self.tileColumns)
    scratch = Matrix(rows: 4 * d[L], columns: 1)
    self.dataSystem = dataSystem
  }

  // MARK: Tiles

  /// This rank's columns, chunk by chunk.
  var chunks: Cuts { Cuts(0..<a0.columns, length: partition.chunk) }

  /// A chunk's columns, tile by tile.
  func tiles(of chunk: Range<Int>) -> Cuts { Cuts(chunk, length: Self.tileColumns) }

  /// What W_{l+1} multiplies: a_l of some columns, over the row of ones if there is a bias.
  func inputs(_ l: Int, _ columns: Range<Int>) -> Tile<Float> {
    let all = l == 0 ? a0.columns(columns) : a[l].columns(columns)
    return all.rows(0..<network.inputs(l + 1))
  }

  /// W_l without the bias column where there is no bias.
  func weights(_ l: Int) -> Tile<Float> {
    W[l].columns(0..<network.inputs(l))
  }
}

/// Seconds that a rank spent in the parts of its sweeps.
public struct SweepSeconds: Sendable {
  /// Solving for the weights, the same work on every rank.
  public var solve = 0.0
  /// In reductions, waiting for slower ranks included.
  public var reduce = 0.0
  /// All else: the local updates and sums.
  public var local = 0.0
}
