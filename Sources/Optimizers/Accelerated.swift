import LinearAlgebra
import MPI
import Networks
import Sums

/// Method `accelerated`: the paper's data-parallel scheme and weight system around consistent activations.
///
/// Every step begins from a feasible point, a_l = h(z_l) and z_l = W_l a_{l−1}, so that nothing of the samples' size
/// is kept beside the data. What the way back would change, to first order, are sums Σ δ_l a_{l−1}ᵀ times (a_{l−1}
/// a_{l−1}ᵀ + ρ_l I)⁻¹: one reduction brings the sums of all layers, and every rank makes the same step from them.
/// docs/accelerated.md derives it.
///
/// A step works on a batch of the samples. As long as a pass over them lowers the objective, batches stay small and
/// the weights that count are an average over the steps; when it stalls, the batch doubles, and at last holds all
/// samples (`Phase`). By the chain rule the steps follow the gradient, and those on all samples are quasi-Newton
/// ones; by `UpdateRule` they need no derivative of the loss.
package struct Accelerated<Rule: BackwardRule>: ~Copyable, TrainingMethod {
  public let network: Network
  public let settings: AcceleratedSettings
  public internal(set) var sweeps = 0
  public var events: [String] = []
  public internal(set) var seconds = SweepSeconds()
  /// Whether no step lowers the objective any more.
  public internal(set) var isDone = false

  var pass: Pass<Rule>
  var metric: GramMetric
  /// All weights w, g there, and the step's direction.
  let iterate: Iterate
  let l2: Double
  let partition: Partition
  /// What the steps are at present.
  var phase: Phase
  /// How many steps were made, and after how many the Gram matrices come along again.
  var stepCount = 0
  var nextGrams = 0
  /// f over the last sweep.
  var objective = Double.nan
  var caution = Caution()

  /// What the steps are, with what they keep.
  enum Phase {
    /// With momentum, on batches that grow.
    case batches(MomentumState, BatchGrowth)
    /// With momentum, on all samples.
    case momentum(MomentumState)
    /// Along quasi-Newton directions, on all samples.
    case quasiNewton(QuasiNewtonState)
  }

  /// Steps on batches until so many samples were visited, or one step on all samples. Collective: one reduction a
  /// step.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, when the method can't go on.
  public mutating func sweep(
    _ samples: borrowing Samples, over ranks: borrowing Communicator, isMeasured: Bool = false
  ) throws {
    switch phase {
    case .batches(let state, let growth): try sweepBatches(state, growth, samples, over: ranks)
    case .momentum(let state): try sweepAll(state, samples, over: ranks)
    case .quasiNewton(let state): try quasiNewtonStep(state, samples, over: ranks)
    }
    sweeps += 1
    (seconds.reduce, seconds.sum) = pass.seconds
  }

  /// Draws the start weights and sums the data's Gram matrix. Collective; two reductions.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, if the data's sums are not finite; a `Failure` of this rank
  ///   where the system gives no more threads.
  static func start(
    _ network: Network, _ settings: AcceleratedSettings, _ rule: Rule, _ samples: borrowing Samples,
    _ options: StartOptions, over ranks: borrowing Communicator
  ) throws -> Accelerated {
    samples.check(network)
    let pass = try Pass.make(network, rule, samples.partition, threads: options.threads)
    let metric = try GramMetric.ofData(samples, network, ridge: settings.ridge, over: ranks)
    return Accelerated(network, settings, options.seed, samples.partition, pass, metric)
  }

  private init(
    _ network: Network, _ settings: AcceleratedSettings, _ seed: UInt64, _ partition: Partition,
    _ pass: consuming Pass<Rule>, _ metric: consuming GramMetric
  ) {
    self.network = network
    self.settings = settings
    self.partition = partition
    self.pass = pass
    self.metric = metric
    iterate = Iterate(network.flat(network.randomWeights(seed: seed)))
    l2 = settings.l2 ?? network.priorL2(AcceleratedTuning.l2, samples: partition.samples)
    let block = settings.block ?? AcceleratedSettings.defaultBlock(partition)
    let batches = Batch.count(ofAtLeast: block, partition)
    let state = MomentumState(network, step: settings.step)
    if batches >= AcceleratedTuning.fewestBatches {
      let first = max(
        partition.samples / AcceleratedTuning.firstSweepParts, AcceleratedTuning.firstSweepBatches * block)
      phase = .batches(
        state, BatchGrowth(BatchWalk(partition, batches: batches, firstSweep: first, seed: seed)))
    } else {
      phase = Self.wholePhase(network, settings, state)
    }
  }

  /// The steps on all samples.
  static func wholePhase(_ network: Network, _ settings: AcceleratedSettings, _ state: MomentumState) -> Phase
  {
    switch settings.form {
    case .momentum: .momentum(state)
    case .quasi_newton: .quasiNewton(QuasiNewtonState(network, pairs: settings.pairs))
    }
  }

  /// With ten times the ridge; what steps have learnt is forgotten, but not how far batches had grown. Local.
  public mutating func restart(
    at W: borrowing Layers<Matrix<Float>>, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    caution.level += 1
    iterate.w.assign(network.flat(W))
    switch phase {
    case .batches(let state, _), .momentum(let state): state.restart(at: iterate.w, step: settings.step)
    case .quasiNewton: phase = .quasiNewton(QuasiNewtonState(network, pairs: settings.pairs))
    }
    pass.forget()
    (isDone, nextGrams) = (false, stepCount)
    try metric.restart(ridge: caution.ridge(settings.ridge))
    events.append(caution.ridgeEvent(settings.ridge))
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    SweepProgress(objective: objective * Double(partition.samples))
  }

  /// An average of weights whose objective is known; or w, whose own is.
  public func copyWeights(to W: inout Layers<Matrix<Float>>) {
    switch phase {
    case .batches(let state, _), .momentum(let state): network.assign(&W, state.average)
    case .quasiNewton: network.assign(&W, iterate.w)
    }
  }

  public mutating func takeWeightsOfRoot(over ranks: borrowing Communicator) throws {
    try iterate.w.takeEntriesOfRoot(over: ranks)
    switch phase {
    case .batches(let steps, _), .momentum(let steps):
      try steps.average.takeEntriesOfRoot(over: ranks)
      try steps.momentum.takeEntriesOfRoot(over: ranks)
    case .quasiNewton: break
    }
  }

  /// f and g over a batch; NaN where a step has left the range of single precision.
  mutating func evaluate(
    on batch: Batch, _ samples: borrowing Samples, hasGrams: Bool, over ranks: borrowing Communicator
  ) throws -> Double {
    if stepCount == 0 {
      return try pass.evaluate(
        &iterate.g, at: iterate.w, over: batch, of: samples, l2: l2, hasGrams: hasGrams, ranks)
    }
    return try pass.evaluateIfFinite(
      &iterate.g, at: iterate.w, over: batch, of: samples, l2: l2, hasGrams: hasGrams, ranks)
  }
}
