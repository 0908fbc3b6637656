import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// Method `consistent`: Algorithm 1 with a multiplier on every constraint, which learns what backpropagation learns
/// without a derivative of the loss.
///
/// A sweep starts from the network's own forward pass and goes back through the closed forms of Algorithm 1
/// (`Multipliers`); then every W_l is fitted to z_l + u_l from the network's own activations. Only the multipliers
/// persist. algorithm.md §9.
public struct Consistent: ~Copyable, TrainingMethod {
  public let network: Network
  public let settings: ConsistentSettings
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()

  private var pass: Pass<Multipliers>
  private var metric: GramMetric
  private var norms: MatrixNorms
  /// All weights; the sums and their decay, with the sign of a gradient; D; M.
  private var w, g, direction, momentum: Matrix<Float>
  private let l2: Double
  /// N.
  private let sampleCount: Int
  private var nextGrams = 0
  private var caution = Caution()
  /// The common factor of the penalties.
  private var scale = 1.0
  /// f of the last sweep.
  private var objective = Double.infinity

  /// Multipliers and weights of one sweep. Collective; one reduction.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, when a sum is not finite.
  public mutating func sweep(
    _ samples: borrowing Samples, over ranks: borrowing Communicator, isMeasured: Bool = false
  ) throws {
    // β_l = β_{l+1} max(¼, ½ ‖V_{l+1}‖₂ ‖V_{l+1}‖_F / √d_{l+1}),  γ_l = β_l
    setPenalties()
    // One pass, tile by tile (`Pass.visit`). Forward, l = 1 … L:
    //   m_l = W_l f_{l−1},  f_l = h(m_l),  f_0 = a_0
    // Back from the last layer (`Multipliers.setLastDelta`):
    //   z_L ← argmin_z ℓ(z, y) + β_L ‖z − (m_L − u_L)‖²
    //   u_L ← u_L + z_L − m_L,  δ_L = m_L − (z_L + u_L)
    // and l = L−1 … 1, W_{l+1} = [V b], t = f_l − v_l (`Multipliers.setDelta`):
    //   a_l ← t + Vᵀ (V Vᵀ + r I)⁻¹ (z_{l+1} + u_{l+1} − b − V t),  r = γ_l / β_{l+1}
    //   v_l ← v_l + a_l − f_l
    //   z_l ← argmin_z γ_l ‖a_l + v_l − h(z)‖² + β_l ‖z − (m_l − u_l)‖²
    //   u_l ← u_l + z_l − m_l,  δ_l = m_l − (z_l + u_l)
    // Sums over all samples, in one reduction: Σ δ_l f_{l−1}ᵀ, and now and then Σ f_l f_lᵀ.
    let hasGrams = sweeps >= nextGrams
    let former = objective
    objective = try pass.evaluate(&g, at: w, over: .whole, of: samples, l2: l2, hasGrams: hasGrams, ranks)
    let start = monotonicSeconds()
    // G_l = (1/N) Σ f_{l−1} f_{l−1}ᵀ
    if hasGrams { try refreshMetric() }
    if settings.safeguard { adaptPenalties(after: former) }
    // D_l = (Σ δ_l f_{l−1}ᵀ / N + l2/(2β_l) [V_l 0]) (G_l + ρ_l I + l2/(2β_l) I₀)⁻¹
    metric.multiply(&direction, g)
    // M_l ← μ M_l + D_l,  W_l ← W_l − μ M_l − D_l
    momentumStep(&w, &momentum, direction, mu: Float(settings.momentum))
    sweeps += 1
    seconds.solve += monotonicSeconds() - start
    (seconds.reduce, seconds.sum) = pass.seconds
  }

  /// Draws the start weights and sums the data's Gram matrix; every multiplier is 0. Collective; two reductions.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, if the data's sums are not finite; a `Failure` of this rank
  ///   where the system gives no more threads.
  public static func start(
    _ network: Network, _ settings: ConsistentSettings, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> Consistent {
    samples.check(network)
    let rule = Multipliers(network, samples: samples.count, threads: options.threads)
    let pass = try Pass.make(network, rule, samples.partition, threads: options.threads)
    let metric = try GramMetric.ofData(samples, network, ridge: settings.proximal, over: ranks)
    return Consistent(network, settings, samples.partition.samples, options.seed, pass, metric)
  }

  private init(
    _ network: Network, _ settings: ConsistentSettings, _ samples: Int, _ seed: UInt64,
    _ pass: consuming Pass<Multipliers>, _ metric: consuming GramMetric
  ) {
    self.network = network
    self.settings = settings
    sampleCount = samples
    self.pass = pass
    self.metric = metric
    norms = MatrixNorms(rows: network.widths.dropFirst().max() ?? 1)
    var W = network.randomWeights(seed: seed)
    if network.L > 1 {
      let first = W[1].mutableBase
      for k in 0..<W[1].count { first[k] *= ConsistentTuning.firstWeights }
    }
    w = network.flat(W)
    l2 = settings.l2 ?? network.priorL2(ConsistentTuning.l2, samples: samples)
    g = network.flatZeros()
    direction = network.flatZeros()
    momentum = network.flatZeros()
  }

  /// The multipliers 0, the penalties those of the start, ten times the proximal term. Local.
  public mutating func restart(
    at W: borrowing Layers<Matrix<Float>>, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    caution.level += 1
    w = network.flat(W)
    momentum.fill(0)
    pass.rule.clear()
    pass.forget()
    (scale, objective, nextGrams) = (1, .infinity, sweeps)
    try metric.restart(ridge: caution.ridge(settings.proximal))
    events.append(caution.ridgeEvent(settings.proximal))
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    var progress = SweepProgress(objective: objective * Double(sampleCount))
    if network.L > 1 { progress.activationResidual = largestResidual }
    return progress
  }

  public mutating func archive(_ state: any StateArchive, _ samples: borrowing Samples) throws {
    try state("sweeps", &sweeps)
    try state("caution", &caution.level)
    try state("w", &w)
    try state("momentum", &momentum)
    try state("scale", &scale)
    try state("objective", &objective)
    try state("next_grams", &nextGrams)
    try state.within("metric") { try metric.archive(state) }
    try state.within("pass") { try pass.archive(state) }
  }

  public func copyWeights(to W: inout Layers<Matrix<Float>>) { network.assign(&W, w) }

  public mutating func takeWeightsOfRoot(over ranks: borrowing Communicator) throws {
    try w.takeEntriesOfRoot(over: ranks)
    try momentum.takeEntriesOfRoot(over: ranks)
  }
}

// MARK: Penalties and the metric

extension Consistent {
  /// β_L = scale · β, and down from it as an error of the outputs of layer l + 1 is to one of layer l. The same on
  /// every rank.
  private mutating func setPenalties() {
    typealias Tuning = ConsistentTuning
    var beta = settings.beta * scale
    pass.rule.setPenalty(network.L, beta)
    for l in stride(from: network.L - 1, to: 0, by: -1) {
      let V = network.parameters(l + 1, of: w).columns(0..<network.widths[l])
      let (spectral, frobenius) = norms(V)
      let factor = Tuning.penaltyScale * spectral * frobenius / Double(V.rows).squareRoot()
      beta *= max(Tuning.leastPenaltyRatio, factor)
      pass.rule.setPenalty(l, beta)
    }
  }

  /// A rise of the network's own objective drops the momentum and raises the penalties. A large residual raises
  /// them gently; else they fall.
  private mutating func adaptPenalties(after former: Double) {
    typealias Tuning = ConsistentTuning
    if objective > former {
      momentum.scale(0)
      scale = min(Tuning.raise * scale, Tuning.mostScale)
    } else if largestResidual > Tuning.largeResidual {
      scale *= Tuning.gentleRaise
    } else {
      scale = max(Tuning.decline * scale, Tuning.leastScale)
    }
  }

  /// Takes the Gram matrices that came with the last pass, and says when to ask for them again.
  private mutating func refreshMetric() throws {
    let (rule, l2) = (pass.rule, l2)
    try metric.setDecay { l2 / (2 * rule.beta[$0]) }
    try metric.setHidden(from: pass, samples: sampleCount, keep: 0)
    nextGrams = sweeps + min(max(sweeps, 1), ConsistentTuning.gramInterval)
  }

  /// max_l ‖a_l − h(m_l)‖ / ‖h(m_l)‖ in the last sweep.
  private var largestResidual: Double {
    (1..<network.L).reduce(0.0) { max($0, pass.rule.residuals[$1]) }
  }
}
