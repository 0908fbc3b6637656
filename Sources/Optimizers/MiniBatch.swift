import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// What a mini-batch method makes of a block's gradient.
public enum UpdateRule: Sendable, Equatable {
  case sgd(SGDSettings)
  case adam(AdamSettings)

  public var common: MiniBatchSettings {
    switch self {
    case .sgd(let settings): settings.common
    case .adam(let settings): settings.common
    }
  }
}

/// Stochastic gradients on blocks of the samples: w ← w − step(∇f over the block), a block after the other.
///
/// A sweep is one pass over the data, in which every sample counts once. The blocks of a pass are drawn anew for each; a block is some of
/// each rank's chunks, and its gradient one reduction. Every rank makes the same step from it: the weights have the same bits
/// on any number of ranks.
public struct MiniBatch: ~Copyable, TrainingMethod {
  public let network: Network
  public let rule: UpdateRule
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()

  private var pass: GradientPass
  private var walk: BlockWalk
  /// How many steps all sweeps together are, by which a schedule ends.
  private let plannedSteps: Int
  private var steps = 0
  /// All weights, and their gradient over a block.
  private let w, g: Matrix<Float>
  /// The running means of the gradient and, for Adam, of its square.
  private let first, second: Matrix<Float>
  /// The mean of f over the blocks of the last sweep, each at the weights that it found.
  private var objective = Double.nan
  /// What `withWeights` gives.
  private let W: Layers<Matrix<Float>>

  /// Draws the start weights, those of `Network.randomWeights`. Local.
  ///
  /// - Parameters:
  ///   - sweeps: how many sweeps are planned, by which a schedule ends.
  ///   - seed: decides the start weights and the blocks.
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  ///   - threads: how many threads share this rank's chunks. The bits don't depend on it.
  /// - Throws: a `Failure` of this rank where the system gives no more threads.
  public static func start(
    _ network: Network, _ rule: UpdateRule, sweeps: Int, seed: UInt64, a0: Tile<Float>, y: Tile<Float>,
    partition: Partition, threads: Int = 1, over ranks: borrowing Communicator
  ) throws -> MiniBatch {
    let pass = try GradientPass.make(
      network, a0: a0, y: y, partition: partition, rank: ranks.rank, threads: threads)
    return MiniBatch(network, rule, sweeps, seed, partition, pass)
  }

  private init(
    _ network: Network, _ rule: UpdateRule, _ sweeps: Int, _ seed: UInt64, _ partition: Partition,
    _ pass: consuming GradientPass
  ) {
    let blocks = Block.count(ofAtLeast: rule.common.block, partition)
    let W = network.randomWeights(seed: seed)
    self.network = network
    self.rule = rule
    self.pass = pass
    walk = BlockWalk(partition, blocks: blocks, seed: seed)
    plannedSteps = blocks * sweeps
    w = network.flat(W)
    g = network.flatZeros()
    first = network.flatZeros()
    second = Matrix(rows: rule.needsSquares ? network.flatCount : 0, columns: 1)
    self.W = W
  }

  /// One step a block, for all blocks of a pass. Collective: one reduction a step.
  ///
  /// - Throws: a numerical `Failure`, the same on all ranks, when the iterates leave the range of single precision.
  public mutating func sweep(over ranks: borrowing Communicator, isMeasured: Bool = false) throws {
    let blocks = walk.nextSweep()
    var total = 0.0
    for block in blocks {
      total += try gradient(over: block, ranks)
      let start = monotonicSeconds()
      step()
      steps += 1
      seconds.solve += monotonicSeconds() - start
    }
    objective = total / Double(blocks.count)
    sweeps += 1
    (seconds.reduce, seconds.sum) = (pass.reducing, pass.summing)
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    SweepProgress(objective: objective * Double(walk.partition.samples))
  }

  public func withWeights<Result: ~Copyable>(
    _ body: (borrowing Layers<Matrix<Float>>) throws -> Result
  ) rethrows -> Result {
    network.assign(W, w)
    return try body(W)
  }

  /// f and g over a block, both finite.
  private mutating func gradient(over block: Block, _ ranks: borrowing Communicator) throws -> Double {
    let f = try pass.evaluateIfFinite(g, at: w, over: block, l2: rule.common.l2, ranks)
    if f.isFinite { return f }
    throw NumericalError.diverged(step: steps + 1)
  }

  private func step() {
    let rate = rule.common.rate * rule.common.schedule.factor(step: steps, of: plannedSteps)
    switch rule {
    case .sgd(let settings): sgdStep(w, g, momentum: first, settings, rate: rate)
    case .adam(let settings): adamStep(w, g, mean: first, square: second, settings, rate: rate, step: steps)
    }
  }
}

extension UpdateRule {
  /// Whether it keeps a running mean of the gradient's squares.
  fileprivate var needsSquares: Bool {
    switch self {
    case .sgd: false
    case .adam: true
    }
  }
}
