import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// What a mini-batch method makes of a batch's gradient.
protocol StepRule: AnyObject {
  /// w ← w − step(g). Local, the same on every rank.
  ///
  /// - Parameters:
  ///   - w: all weights, changed in place.
  ///   - g: their gradient.
  ///   - rate: η.
  ///   - number: how many steps went before.
  func step(_ w: inout Matrix<Float>, _ g: borrowing Matrix<Float>, rate: Double, number: Int)
  /// Forgets all steps. Local.
  func restart()
  /// What it keeps from step to step. Collective.
  func archive(_ state: any StateArchive) throws
}

/// Stochastic gradients on batches of the samples: w ← w − step(∇f over the batch), a batch after the other.
///
/// A sweep is one pass over the data, in which every sample counts once. The batches of a pass are drawn anew for
/// each; a batch is some of each rank's chunks, and its gradient one reduction. Every rank makes the same step from
/// it: the weights have the same bits on any number of ranks.
public struct MiniBatch: ~Copyable, TrainingMethod {
  public let network: Network
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()

  private let settings: MiniBatchSettings
  private let rule: any StepRule
  private var pass: Pass<ChainRule>
  private var walk: BatchWalk
  /// How many steps all sweeps together are, by which a schedule ends.
  private let plannedSteps: Int
  private var steps = 0
  /// Those of them that a restart has made the rule forget.
  private var forgottenSteps = 0
  private var caution = Caution()
  /// All weights, and their gradient over a batch.
  private var w, g: Matrix<Float>
  /// The mean of f over the batches of the last sweep, each at the weights that it found.
  private var objective = Double.nan

  /// One step a batch, for all batches of a pass. Collective: one reduction a step.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, when the iterates leave the range of single precision.
  public mutating func sweep(
    _ samples: borrowing Samples, over ranks: borrowing Communicator, isMeasured: Bool = false
  ) throws {
    var (total, count) = (0.0, 0)
    walk.beginSweep()
    while let batch = walk.next() {
      // f = (1/n) Σ ℓ(z_L, y) + ½ l2 ‖V‖²,  g = ∇f over the batch
      let f = try pass.evaluateIfFinite(&g, at: w, over: batch, of: samples, l2: settings.l2, ranks)
      guard f.isFinite else { throw NumericalError.diverged(step: steps + 1) }
      // w ← w − step(g),  η by the schedule
      let start = monotonicSeconds()
      let rate = caution.rate(settings.rate * settings.schedule.factor(step: steps, of: plannedSteps))
      rule.step(&w, g, rate: rate, number: steps - forgottenSteps)
      steps += 1
      seconds.solve += monotonicSeconds() - start
      total += f
      count += 1
    }
    objective = total / Double(count)
    sweeps += 1
    (seconds.reduce, seconds.sum) = pass.seconds
  }

  /// Draws the start weights, those of `Network.randomWeights`. Local.
  ///
  /// - Throws: a `Failure` of this rank where the system gives no more threads.
  static func start(
    _ network: Network, _ settings: MiniBatchSettings, _ rule: any StepRule, _ samples: borrowing Samples,
    _ options: StartOptions
  ) throws -> MiniBatch {
    samples.check(network)
    let pass = try Pass.make(network, ChainRule(), samples.partition, threads: options.threads)
    return MiniBatch(network, settings, rule, options, samples.partition, pass)
  }

  private init(
    _ network: Network, _ settings: MiniBatchSettings, _ rule: any StepRule, _ options: StartOptions,
    _ partition: Partition, _ pass: consuming Pass<ChainRule>
  ) {
    let batches = Batch.count(ofAtLeast: settings.block, partition)
    self.network = network
    self.settings = settings
    self.rule = rule
    self.pass = pass
    walk = BatchWalk(partition, batches: batches, seed: options.seed)
    plannedSteps = batches * options.sweeps
    w = network.flat(network.randomWeights(seed: options.seed))
    g = network.flatZeros()
  }

  /// With half the rate. Local.
  public mutating func restart(
    at W: borrowing Layers<Matrix<Float>>, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    caution.level += 1
    w = network.flat(W)
    rule.restart()
    forgottenSteps = steps
    pass.forget()
    events.append("begun again with the rate \(Float(caution.rate(settings.rate)))")
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    SweepProgress(objective: objective * Double(walk.partition.samples))
  }

  public mutating func archive(_ state: any StateArchive, _ samples: borrowing Samples) throws {
    try state("sweeps", &sweeps)
    try state("steps", &steps)
    try state("caution", &caution.level)
    try state("forgotten_steps", &forgottenSteps)
    try state("w", &w)
    try state("objective", &objective)
    try state.within("walk") { try walk.archive(state) }
    try state.within("rule") { try rule.archive(state) }
    try state.within("pass") { try pass.archive(state) }
  }

  public func copyWeights(to W: inout Layers<Matrix<Float>>) { network.assign(&W, w) }

  public mutating func takeWeightsOfRoot(over ranks: borrowing Communicator) throws {
    try w.takeEntriesOfRoot(over: ranks)
  }
}
