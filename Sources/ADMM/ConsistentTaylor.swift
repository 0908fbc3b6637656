import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// Method `consistent`: ADMM with a multiplier on every constraint, which learns what backpropagation learns without a derivative
/// of the loss.
///
/// A sweep starts from the network's own forward pass and goes back through the closed forms of Algorithm 1 (`Multipliers`); then every W_l is
/// fitted to z_l + u_l from the network's own activations. One reduction a sweep; only the multipliers persist. docs/accelerated.md.
public struct ConsistentTaylor: ~Copyable, TrainingMethod {
  public let network: Network
  public let settings: ConsistentSettings
  public let partition: Partition
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()

  private var pass: GradientPass
  private var metric: GramMetric
  /// All weights; −(1/n) Σ (z_l + u_l − W_l a_{l−1}) a_{l−1}ᵀ and their decay; −(the fitted weights − W); M.
  private let w, g, direction, momentum: Matrix<Float>
  private let W: Layers<Matrix<Float>>
  private let l2: Double
  private var nextGrams = 0
  /// The common factor of the penalties.
  private var scale = 1.0
  private var objective = Double.infinity

  /// Draws the start weights and sums the data's Gram matrix; every multiplier is 0. Collective; two reductions.
  ///
  /// - Parameters:
  ///   - seed: decides every random number.
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  ///   - threads: how many threads share this rank's chunks. The bits don't depend on it.
  /// - Throws: a numerical `Failure`, shared by all ranks, if the data's sums are not finite.
  public static func start(
    _ network: Network, _ settings: ConsistentSettings, seed: UInt64 = 1, a0: Tile<Float>, y: Tile<Float>,
    partition: Partition, threads: Int = 1, over ranks: borrowing Communicator
  ) throws -> ConsistentTaylor {
    let pass = try GradientPass.make(
      network, a0: a0, y: y, partition: partition, rank: ranks.rank, threads: threads,
      propagation: .multipliers)
    let metric = try GramMetric.ofData(a0, network, ridge: settings.proximal, partition, over: ranks)
    return ConsistentTaylor(network, settings, seed, partition, pass, metric)
  }

  private init(
    _ network: Network, _ settings: ConsistentSettings, _ seed: UInt64, _ partition: Partition,
    _ pass: consuming GradientPass, _ metric: consuming GramMetric
  ) {
    self.network = network
    self.settings = settings
    self.partition = partition
    self.pass = pass
    self.metric = metric
    let W = network.randomWeights(seed: seed)
    // Small first weights: the multipliers of the first sweeps then move the units apart.
    for k in 0..<W[1].count where network.L > 1 { W[1].base[k] /= 2 }
    w = network.flat(W)
    self.W = W
    l2 = settings.l2 ?? 90 / Double(max(partition.samples, 1))
    g = network.flatZeros()
    direction = network.flatZeros()
    momentum = network.flatZeros()
  }

  /// Multipliers and weights of one sweep. Collective; one reduction.
  public mutating func sweep(over ranks: borrowing Communicator, isMeasured: Bool = false) throws {
    pass.multipliers?.setPenalties(penalties())
    let hasGrams = sweeps >= nextGrams
    let former = objective
    objective = try pass.evaluate(g, at: w, over: .whole, l2: l2, hasGrams: hasGrams, ranks)
    let start = monotonicSeconds()
    if hasGrams {
      let beta = pass.multipliers?.beta ?? []
      try metric.setDecay(beta.map { l2 / (2 * $0) })
      try metric.setHidden(from: pass, samples: partition.samples, keep: 0)
      nextGrams = sweeps + min(max(sweeps, 1), 5)
    }
    if settings.safeguard { adaptPenalties(after: former) }
    // W_l ← W_l + μ M_l + D_l,  M_l ← μ M_l + D_l,  D_l = (Σ (z_l + u_l − W_l a_{l−1}) a_{l−1}ᵀ − decay) (G_l + ρ_l I)⁻¹
    metric.multiply(direction, g)
    let mu = Float(settings.momentum)
    let (w, d, m) = (w.base, direction.base, momentum.base)
    for k in 0..<self.w.count {
      m[k] = mu * m[k] - d[k]
      w[k] += mu * m[k] - d[k]
    }
    sweeps += 1
    seconds.solve += monotonicSeconds() - start
    (seconds.reduce, seconds.sum) = (pass.reducing, pass.summing)
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    var progress = SweepProgress(objective: objective * Double(partition.samples))
    if network.L > 1 { progress.activationResidual = largestResidual }
    return progress
  }

  public func withWeights<Result: ~Copyable>(
    _ body: (borrowing Layers<Matrix<Float>>) throws -> Result
  ) rethrows -> Result {
    network.assign(W, w)
    return try body(W)
  }
}

// MARK: Penalties

extension ConsistentTaylor {
  /// β_L = scale · β, and down from it β_l = β_{l+1} max(¼, ½ ‖V‖₂ ‖V‖_F / √d_{l+1}): as an error of the outputs of layer l + 1 is to one of layer
  /// l. The same on every rank.
  private func penalties() -> [Double] {
    var beta = [Double](repeating: 1, count: network.L + 1)
    beta[network.L] = settings.beta * scale
    for l in stride(from: network.L - 1, to: 0, by: -1) {
      let V = network.parameters(l + 1, of: w).columns(0..<network.widths[l])
      let (spectral, frobenius) = norms(V)
      let factor = 0.5 * spectral * frobenius / Double(V.rows).squareRoot()
      beta[l] = beta[l + 1] * max(0.25, factor)
    }
    return beta
  }

  /// A rise of the network's own objective drops the momentum and raises the penalties; so, gently, does a residual above 1 %.
  private mutating func adaptPenalties(after former: Double) {
    if objective > former {
      momentum.scale(0)
      scale = min(1.5 * scale, 100)
    } else if largestResidual > 0.01 {
      scale *= 1.05
    } else {
      scale = max(0.98 * scale, 1e-3)
    }
  }

  /// max_l ‖a_l − h(m_l)‖ / ‖h(m_l)‖ in the last sweep.
  private var largestResidual: Double {
    (1..<network.L).reduce(0.0) { max($0, pass.residual($1)) }
  }
}

/// ‖V‖₂ by power iteration, to a few digits, and ‖V‖_F.
private func norms(_ V: Tile<Float>) -> (spectral: Double, frobenius: Double) {
  var square = 0.0
  for j in 0..<V.columns {
    for i in 0..<V.rows { square += Double(V.column(j)[i]) * Double(V.column(j)[i]) }
  }
  let frobenius = square.squareRoot()
  guard V.rows > 1 && frobenius > 0 else { return (frobenius, frobenius) }
  var x = (0..<V.rows).map { 1 + 0.1 * Double($0 % 7) }
  var spectral = 0.0
  for _ in 0..<20 {
    let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var next = [Double](repeating: 0, count: V.rows)
    for j in 0..<V.columns {
      let column = V.column(j)
      var product = 0.0
      for i in 0..<V.rows { product += Double(column[i]) * x[i] / length }
      for i in 0..<V.rows { next[i] += Double(column[i]) * product }
    }
    spectral = next.reduce(0) { $0 + $1 * $1 }.squareRoot().squareRoot()
    guard spectral > 0 else { break }
    x = next
  }
  return (spectral, frobenius)
}
