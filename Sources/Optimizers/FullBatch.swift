import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// Along which direction a line search goes.
public enum SearchDirection: Sendable, Equatable {
  /// d ← −g + β d with β = max(0, gᵀ(g − g') / g'ᵀg'), g' the gradient before: Polak & Ribière's, which restarts itself where β is 0.
  /// Nocedal & Wright (2006), section 5.2.
  case conjugate(ConjugateGradientSettings)
  /// d ← −H g with the quasi-Newton matrix H of the last pairs, from the identity. Nocedal & Wright (2006), section 7.2.
  case lbfgs(LBFGSSettings)

  /// The weight of ½ Σ ‖V_l‖².
  var l2: Double {
    switch self {
    case .conjugate(let settings): settings.l2
    case .lbfgs(let settings): settings.l2
    }
  }

  /// How many pairs of steps and gradients are remembered.
  fileprivate var pairs: Int {
    switch self {
    case .conjugate: 0
    case .lbfgs(let settings): settings.pairs
    }
  }

  /// c₂ of the strong Wolfe conditions: conjugate directions need an accurate search.
  fileprivate var curvature: Double {
    switch self {
    case .conjugate: 0.1
    case .lbfgs: 0.9
    }
  }
}

/// Line searches on all samples: w ← w + α d, with α by the strong Wolfe conditions.
///
/// A sweep is one line search, of one pass over the data and one reduction an evaluation: mostly one or two. Every rank makes the same
/// step from the same sums: the weights have the same bits on any number of ranks.
public struct FullBatch: ~Copyable, TrainingMethod {
  public let network: Network
  public let method: SearchDirection
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()
  /// Whether no step lowers the objective any more.
  public private(set) var isDone = false

  private let partition: Partition
  private var pass: GradientPass
  private var memory: QuasiNewton
  /// All weights, their gradient, and the step's direction.
  private let iterate: Iterate
  /// What `withWeights` gives.
  private let W: Layers<Matrix<Float>>
  /// f at w; nil before the first evaluation.
  private var objective: Double?
  /// Where the last search ended: its step, and the slope from which it began. nil at the start and after a restart.
  private var last: LinePoint?

  /// Draws the start weights, those of `Network.randomWeights`. Local.
  ///
  /// - Parameters:
  ///   - seed: decides the start weights.
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  ///   - threads: how many threads share this rank's chunks. The bits don't depend on it.
  /// - Throws: a `Failure` of this rank where the system gives no more threads.
  public static func start(
    _ network: Network, _ method: SearchDirection, seed: UInt64, a0: Tile<Float>, y: Tile<Float>,
    partition: Partition, threads: Int = 1, over ranks: borrowing Communicator
  ) throws -> FullBatch {
    let pass = try GradientPass.make(
      network, a0: a0, y: y, partition: partition, rank: ranks.rank, threads: threads)
    return FullBatch(network, method, seed, partition, pass)
  }

  private init(
    _ network: Network, _ method: SearchDirection, _ seed: UInt64, _ partition: Partition,
    _ pass: consuming GradientPass
  ) {
    let W = network.randomWeights(seed: seed)
    let count = network.flatCount
    self.network = network
    self.method = method
    self.partition = partition
    self.pass = pass
    memory = QuasiNewton(count: method.pairs > 0 ? count : 0, capacity: method.pairs)
    iterate = Iterate(network.flat(W))
    self.W = W
  }

  /// One line search. Collective: one reduction an evaluation.
  ///
  /// - Throws: a numerical `Failure`, the same on all ranks, when the start is out of the range of single precision.
  public mutating func sweep(over ranks: borrowing Communicator, isMeasured: Bool = false) throws {
    if !isDone { try search(over: ranks) }
    sweeps += 1
    (seconds.reduce, seconds.sum) = (pass.reducing, pass.summing)
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    SweepProgress(objective: (objective ?? .nan) * Double(partition.samples))
  }

  public func withWeights<Result: ~Copyable>(
    _ body: (borrowing Layers<Matrix<Float>>) throws -> Result
  ) rethrows -> Result {
    network.assign(W, iterate.w)
    return try body(W)
  }
}

extension FullBatch {
  /// A search along the method's direction; where none succeeds along the steepest descent either, the method is done.
  private mutating func search(over ranks: borrowing Communicator) throws {
    let f: Double
    if let objective {
      f = objective
    } else {
      f = try pass.evaluate(iterate.g, at: iterate.w, over: .whole, l2: method.l2, ranks)
      objective = f
    }
    let isRestarted = last == nil
    if try step(from: f, over: ranks) { return }
    last = nil
    memory.clear()
    if try !isRestarted && step(from: f, over: ranks) {
      events.append("restarted along the steepest descent")
      return
    }
    isDone = true
    events.append("no step lowers the objective any more")
  }

  /// One step; false, and nothing changed but the direction, if none was found.
  private mutating func step(from f: Double, over ranks: borrowing Communicator) throws -> Bool {
    let start = monotonicSeconds()
    let slope = setDirection()
    seconds.solve += monotonicSeconds() - start
    guard slope < 0 else { return false }
    let found = try iterate.search(
      from: f, slope: slope, first: firstStep(slope), curvature: method.curvature
    ) {
      try pass.evaluateIfFinite(iterate.g, at: iterate.w, over: .whole, l2: method.l2, ranks)
    }
    guard let found else { return false }
    objective = found.value
    last = LinePoint(step: found.step, value: f, slope: slope)
    let after = monotonicSeconds()
    if method.pairs > 0 { memory.add(iterate) }
    seconds.solve += monotonicSeconds() - after
    return true
  }

  /// Overwrites the direction; returns the slope along it.
  private func setDirection() -> Double {
    switch method {
    case .conjugate:
      let square = iterate.g.dot(iterate.g)
      let beta =
        last == nil ? 0 : (square - iterate.g.dot(iterate.formerG)) / iterate.formerG.dot(iterate.formerG)
      if beta > 0 {
        iterate.direction.scale(Float(beta))
        iterate.direction.add(-1, iterate.g)
        let slope = iterate.direction.dot(iterate.g)
        if slope < 0 { return slope }
      }
      iterate.direction.assign(iterate.g)
      iterate.direction.scale(-1)
      return -square
    case .lbfgs:
      memory.direction(iterate.direction, iterate.g) { $0.assign($1) }
      return iterate.direction.dot(iterate.g)
    }
  }

  /// The first step that a search tries.
  private func firstStep(_ slope: Double) -> Double {
    switch method {
    // As much descent, to first order, as in the search before.
    case .conjugate: if let last { return last.step * min(last.slope / slope, 10) }
    case .lbfgs: if !memory.isEmpty { return 1 }
    }
    // Without a scale of its own a direction moves the weights by 1 at the most.
    return min(1, 1 / iterate.direction.dot(iterate.direction).squareRoot())
  }
}
