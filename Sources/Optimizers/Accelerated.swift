import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// Method `accelerated`: the paper's data-parallel scheme and weight system around consistent activations.
///
/// Every step begins from a feasible point, a_l = h(z_l) and z_l = W_l a_{l−1}, so that nothing of the samples' size is kept beside the
/// data. What the updates of Algorithm 1 would change, to first order, are sums Σ δ_l a_{l−1}ᵀ times (a_{l−1} a_{l−1}ᵀ + ρ_l I)⁻¹: one
/// reduction brings the sums of all layers, and every rank makes the same step from them. docs/accelerated.md derives it.
///
/// A step works on a block of the samples. As long as a pass over them lowers the objective, blocks stay small and the weights that
/// count are an average over the steps; when it stalls, the block doubles, and at last holds all samples.
public struct Accelerated: ~Copyable, TrainingMethod {
  public let network: Network
  public let settings: AcceleratedSettings
  public let partition: Partition
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()
  /// Whether no step lowers the objective any more.
  public private(set) var isDone = false

  private var pass: GradientPass
  private var metric: GramMetric
  private var memory: QuasiNewton
  /// All weights, their gradient, and the step's direction.
  private let iterate: Iterate
  /// The momentum, and the average of w over the steps on blocks.
  private let momentum, average: Matrix<Float>
  private var averaged = 0
  /// What `withWeights` gives.
  private let W: Layers<Matrix<Float>>
  private let l2: Double

  /// Which samples the steps on blocks take; of one block a pass the steps on all samples.
  private var walk: BlockWalk
  private var steps = 0
  private var nextGrams = 0
  /// η, halved when a divergence was undone.
  private var eta: Double
  /// A running mean of the blocks' objectives; nil before the first.
  private var recent: Double?
  /// f over the last sweep.
  private var objective = Double.nan
  /// The same of each whole pass since the blocks last grew.
  private var passObjectives: [Double] = []
  /// f and g at w over all samples are known.
  private var isEvaluated = false

  /// Draws the start weights and sums the data's Gram matrix. Collective; two reductions.
  ///
  /// - Parameters:
  ///   - seed: decides every random number.
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  ///   - threads: how many threads share this rank's chunks. The bits don't depend on it.
  /// - Throws: a numerical `Failure`, shared by all ranks, if the data's sums are not finite.
  public static func start(
    _ network: Network, _ settings: AcceleratedSettings, seed: UInt64 = 1, a0: Tile<Float>, y: Tile<Float>,
    partition: Partition, threads: Int = 1, over ranks: borrowing Communicator
  ) throws -> Accelerated {
    let propagation: Propagation =
      settings.form == .momentum ? .updates(beta: settings.beta, r: settings.r) : .gradient
    let pass = try GradientPass.make(
      network, a0: a0, y: y, partition: partition, rank: ranks.rank, threads: threads,
      propagation: propagation)
    let metric = try GramMetric.ofData(a0, network, ridge: settings.ridge, partition, over: ranks)
    return Accelerated(network, settings, seed, partition, pass, metric)
  }

  private init(
    _ network: Network, _ settings: AcceleratedSettings, _ seed: UInt64, _ partition: Partition,
    _ pass: consuming GradientPass, _ metric: consuming GramMetric
  ) {
    self.network = network
    self.settings = settings
    self.partition = partition
    self.pass = pass
    self.metric = metric
    let W = network.randomWeights(seed: seed)
    iterate = Iterate(network.flat(W))
    self.W = W
    let count = network.flatCount
    memory = QuasiNewton(count: count, capacity: settings.pairs)
    momentum = network.flatZeros()
    average = network.flatZeros()
    eta = settings.step
    l2 = settings.l2 ?? AcceleratedSettings.defaultL2(samples: partition.samples)
    let block = settings.block ?? AcceleratedSettings.defaultBlock(partition)
    let blocks = Block.count(ofAtLeast: block, partition)
    walk = BlockWalk(
      partition, blocks: blocks < Self.fewestBlocks ? 1 : blocks,
      firstSweep: max(partition.samples / 16, 4 * block), seed: seed)
  }

  /// Fewer blocks than this are not worth the noise: a step then takes all samples.
  private static let fewestBlocks = 4

  /// Steps on blocks until so many samples were visited, or one step on all samples. Collective: one reduction a step.
  public mutating func sweep(over ranks: borrowing Communicator, isMeasured: Bool = false) throws {
    if walk.blocks > 1 {
      try sweepBlocks(over: ranks)
    } else if settings.form == .momentum {
      try sweepWhole(over: ranks)
    } else {
      try quasiNewtonStep(over: ranks)
    }
    sweeps += 1
    (seconds.reduce, seconds.sum) = (pass.reducing, pass.summing)
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    SweepProgress(objective: objective * Double(partition.samples))
  }

  public func withWeights<Result: ~Copyable>(
    _ body: (borrowing Layers<Matrix<Float>>) throws -> Result
  ) rethrows -> Result {
    // An average of weights whose objective is known; or w, whose own is.
    if walk.blocks > 1 || settings.form == .momentum {
      network.assign(W, average)
    } else {
      network.assign(W, iterate.w)
    }
    return try body(W)
  }
}

// MARK: Steps on blocks

extension Accelerated {
  private mutating func sweepBlocks(over ranks: borrowing Communicator) throws {
    let isWholePass = walk.isWholePass
    var (total, count) = (0.0, 0)
    for block in walk.nextSweep() {
      guard let f = try momentumStep(on: block, over: ranks) else { continue }
      total += f
      count += 1
    }
    // A sweep whose every step was undone has no objective of its own.
    guard count > 0 else { return }
    objective = total / Double(count)
    guard isWholePass else { return }
    passObjectives.append(objective)
    if hasStalled { growBlocks() }
  }

  /// Whether the noise of blocks is what keeps the objective up.
  ///
  /// The last passes lowered its mean by next to nothing against those before; several, since blocks make it noisy. And much of it is
  /// left: where the network learns the training set by heart, the gradients' noise vanishes with the loss (Ma, Bassily & Belkin, 2018),
  /// and small blocks generalise better.
  private var hasStalled: Bool {
    let n = Self.stallPasses
    guard passObjectives.count >= 2 * n else { return false }
    let late = passObjectives.suffix(n).reduce(0, +)
    let early = passObjectives.suffix(2 * n).prefix(n).reduce(0, +)
    return !(late < (1 - Self.leastDecrease) * early) && late > Self.noisyPart * lossAtZero * Double(n)
  }

  private var lossAtZero: Double { network.loss.atZero(outputs: network.widths[network.L]) }

  private static let stallPasses = 4
  private static let leastDecrease = 0.01
  private static let noisyPart = 0.5
  private static let smallPart = 0.1
  /// An objective this much above another is no noise of blocks.
  private static let divergence = 1.5

  private mutating func growBlocks() {
    walk.blocks /= 2
    passObjectives.removeAll(keepingCapacity: true)
    averaged = min(averaged, Self.averagingWeight)
    if walk.blocks < Self.fewestBlocks {
      walk.blocks = 1
      iterate.w.assign(average)
      momentum.scale(0)
      (isEvaluated, recent) = (false, nil)
      events.append("steps on all samples from here")
    } else {
      events.append("\(walk.blocks) blocks a pass from here")
    }
  }

  /// M ← μ M + η D,  w ← w − (μ M + η D) for the block's D; nil if a divergence was undone instead.
  private mutating func momentumStep(on block: Block, over ranks: borrowing Communicator) throws -> Double? {
    let hasGrams = steps >= nextGrams
    let f = try evaluate(on: block, hasGrams: hasGrams, over: ranks)
    if try hasDiverged(f, on: block, hasGrams: hasGrams, over: ranks) {
      try undo(f)
      return nil
    }
    recent = recent.map { 0.9 * $0 + 0.1 * f } ?? f
    let start = monotonicSeconds()
    if hasGrams { try setMetric(block) }
    // The average of all w so far, the late ones weighted more: Shamir & Zhang (2013), polynomial decay.
    let weight = Double(Self.averagingWeight + 1) / Double(averaged + Self.averagingWeight + 1)
    averaged += 1
    metric.multiply(iterate.direction, iterate.g)
    let (eta, mu, share) = (Float(eta), Float(settings.momentum), Float(weight))
    let (w, d, m, mean) = (iterate.w.base, iterate.direction.base, momentum.base, average.base)
    for k in 0..<iterate.w.count {
      mean[k] += share * (w[k] - mean[k])
      m[k] = mu * m[k] + eta * d[k]
      w[k] -= mu * m[k] + eta * d[k]
    }
    steps += 1
    seconds.solve += monotonicSeconds() - start
    return f
  }

  private static let averagingWeight = 4

  /// f and g over a block; NaN where a step has left the range of single precision.
  private mutating func evaluate(
    on block: Block, hasGrams: Bool, over ranks: borrowing Communicator
  ) throws -> Double {
    if steps == 0 {
      return try pass.evaluate(iterate.g, at: iterate.w, over: block, l2: l2, hasGrams: hasGrams, ranks)
    }
    return try pass.evaluateIfFinite(iterate.g, at: iterate.w, over: block, l2: l2, hasGrams: hasGrams, ranks)
  }

  /// Takes the Gram matrices that came with a block, and says when to ask for them again: they change ever less.
  private mutating func setMetric(_ block: Block) throws {
    try metric.setHidden(
      from: pass, samples: block.samples(of: partition), keep: walk.blocks > 1 ? 0.5 : 0)
    nextGrams = steps + min(max(3 * steps, 1), Self.gramInterval)
  }

  private static let gramInterval = 64

  /// Whether f over a block, if much above the recent mean, is also much above what the average has on the same block: otherwise the block
  /// is a hard one, with outliers for instance. Collective: two more passes over the block in such a case.
  private mutating func hasDiverged(
    _ f: Double, on block: Block, hasGrams: Bool, over ranks: borrowing Communicator
  ) throws -> Bool {
    guard f.isFinite else { return true }
    // Where next to nothing of the objective is left, multiples of it are noise.
    guard let recent, f >= Self.divergence * max(recent, Self.smallPart * lossAtZero) else { return false }
    iterate.formerW.assign(iterate.w)
    iterate.w.assign(average)
    let atAverage = try evaluate(on: block, hasGrams: hasGrams, over: ranks)
    iterate.w.assign(iterate.formerW)
    guard f < Self.divergence * atAverage else { return true }
    // For the gradient.
    _ = try evaluate(on: block, hasGrams: hasGrams, over: ranks)
    return false
  }

  /// Goes back to the average, without momentum and with half the step.
  private mutating func undo(_ f: Double) throws {
    if steps > 0 { iterate.w.assign(average) }
    momentum.scale(0)
    eta /= 2
    recent = recent.map { $0 * 1.1 }
    events.append("objective rose to \(Float(f)): undone, step halved")
    guard eta > 1e-6 * settings.step else {
      throw NumericalError.rising
    }
  }

  /// The momentum form on all samples. A rise of the objective restarts the momentum (O'Donoghue & Candès, 2015).
  private mutating func sweepWhole(over ranks: borrowing Communicator) throws {
    let former = recent
    guard let f = try momentumStep(on: .whole, over: ranks) else { return }
    if let former, f > former { momentum.scale(0) }
    (objective, recent) = (f, f)
  }
}

// MARK: Quasi-Newton steps on all samples

extension Accelerated {
  private mutating func quasiNewtonStep(over ranks: borrowing Communicator) throws {
    guard !isDone else { return }
    if !isEvaluated {
      objective = try pass.evaluate(iterate.g, at: iterate.w, over: .whole, l2: l2, hasGrams: true, ranks)
      isEvaluated = true
      nextGrams = steps
      try setMetric(.whole)
    }
    guard try !step(over: ranks) else { return }
    // What the memory says is no descent: begin again with the metric alone.
    let hadMemory = !memory.isEmpty
    memory.clear()
    if hadMemory { if try step(over: ranks) { return } }
    isDone = true
    events.append("no step lowers the objective any more")
  }

  /// One step along −H g; false, and nothing changed, if none was found.
  private mutating func step(over ranks: borrowing Communicator) throws -> Bool {
    let start = monotonicSeconds()
    memory.direction(iterate.direction, iterate.g) { metric.multiply($0, $1) }
    let slope = iterate.direction.dot(iterate.g)
    seconds.solve += monotonicSeconds() - start
    guard slope < 0 else { return false }
    let hasGrams = steps >= nextGrams
    // Without a memory the metric alone has no scale of its own: the loss's curvature gives one.
    let first = memory.isEmpty ? min(1, 1 / (network.loss.largestCurvature * Double(2 * network.L))) : 1
    let found = try iterate.search(from: objective, slope: slope, first: first) {
      try evaluate(on: .whole, hasGrams: hasGrams, over: ranks)
    }
    guard let found else { return false }
    objective = found.value
    steps += 1
    let after = monotonicSeconds()
    memory.add(iterate)
    if hasGrams {
      try metric.setHidden(from: pass, samples: partition.samples, keep: 0)
      nextGrams = steps + 5
    }
    seconds.solve += monotonicSeconds() - after
    return true
  }
}
