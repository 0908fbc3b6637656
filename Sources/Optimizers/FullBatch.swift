import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// Along which direction a line search goes.
protocol SearchDirection: AnyObject {
  /// c₂ of the strong Wolfe conditions: how accurate a search must be.
  var curvature: Double { get }
  /// Overwrites the iterate's direction; returns the slope along it. Local, the same on every rank.
  ///
  /// - Parameter last: where the last search ended: its step, and the slope from which it began; nil at the start
  ///   and after a restart.
  func set(_ iterate: Iterate, last: LinePoint?) -> Double
  /// The first step that a search tries; nil where the direction has no scale of its own.
  func firstStep(slope: Double, last: LinePoint?) -> Double?
  /// Learns from a step that was made.
  func add(_ iterate: Iterate)
  /// Forgets everything: the next direction is the steepest descent.
  func restart()
  /// What it knows beside the iterate. Collective.
  func archive(_ state: any StateArchive) throws
}

/// Line searches on all samples: w ← w + α d, with α by the strong Wolfe conditions.
///
/// A sweep is one line search, of one pass over the data and one reduction an evaluation: mostly one or two. Every
/// rank makes the same step from the same sums: the weights have the same bits on any number of ranks.
public struct FullBatch: ~Copyable, TrainingMethod {
  public let network: Network
  public private(set) var sweeps = 0
  public var events: [String] = []
  public private(set) var seconds = SweepSeconds()
  /// Whether no step lowers the objective any more.
  public private(set) var isDone = false

  private let direction: any SearchDirection
  private let l2: Double
  private var pass: Pass<ChainRule>
  /// All weights, their gradient, and the step's direction.
  private let iterate: Iterate
  /// N.
  private let sampleCount: Int
  /// f at w; nil before the first evaluation.
  private var objective: Double?
  /// Where the last search ended: its step, and the slope from which it began. nil at the start and after a restart.
  private var last: LinePoint?
  private var caution = Caution()

  /// One line search. Collective: one reduction an evaluation.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, when the start is out of the range of single precision.
  public mutating func sweep(
    _ samples: borrowing Samples, over ranks: borrowing Communicator, isMeasured: Bool = false
  ) throws {
    if !isDone { try search(samples, over: ranks) }
    sweeps += 1
    (seconds.reduce, seconds.sum) = pass.seconds
  }

  /// A search along the method's direction; where none succeeds along the steepest descent either, the method is
  /// done.
  private mutating func search(_ samples: borrowing Samples, over ranks: borrowing Communicator) throws {
    let f =
      try objective ?? pass.evaluate(&iterate.g, at: iterate.w, over: .whole, of: samples, l2: l2, ranks)
    objective = f
    let isRestarted = last == nil
    if try step(from: f, samples, over: ranks) { return }
    last = nil
    direction.restart()
    if try !isRestarted && step(from: f, samples, over: ranks) {
      events.append("restarted along the steepest descent")
      return
    }
    isDone = true
    events.append("no step lowers the objective any more")
  }

  /// One step; false, and nothing changed but the direction, if none was found.
  private mutating func step(
    from f: Double, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws -> Bool {
    // d
    let start = monotonicSeconds()
    let slope = direction.set(iterate, last: last)
    seconds.solve += monotonicSeconds() - start
    guard slope < 0 else { return false }
    // w ← w + α d
    let found = try iterate.search(
      from: f, slope: slope, first: firstStep(slope), curvature: direction.curvature
    ) {
      try pass.evaluateIfFinite(&iterate.g, at: iterate.w, over: .whole, of: samples, l2: l2, ranks)
    }
    guard let found else { return false }
    objective = found.value
    last = LinePoint(step: found.step, value: f, slope: slope)
    let after = monotonicSeconds()
    direction.add(iterate)
    seconds.solve += monotonicSeconds() - after
    return true
  }

  /// Without a scale of its own a direction moves the weights by 1 at the most.
  private func firstStep(_ slope: Double) -> Double {
    caution.rate(
      direction.firstStep(slope: slope, last: last)
        ?? min(1, 1 / iterate.direction.dot(iterate.direction).squareRoot()))
  }

  /// Along the steepest descent, every search from half the step. Local.
  public mutating func restart(
    at W: borrowing Layers<Matrix<Float>>, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    caution.level += 1
    iterate.w.assign(network.flat(W))
    direction.restart()
    (objective, last, isDone) = (nil, nil, false)
    pass.forget()
    events.append("begun again along the steepest descent")
  }

  /// Draws the start weights, those of `Network.randomWeights`. Local.
  ///
  /// - Throws: a `Failure` of this rank where the system gives no more threads.
  static func start(
    _ network: Network, _ direction: any SearchDirection, l2: Double, _ samples: borrowing Samples,
    _ options: StartOptions
  ) throws -> FullBatch {
    samples.check(network)
    let pass = try Pass.make(network, ChainRule(), samples.partition, threads: options.threads)
    return FullBatch(network, direction, l2, options.seed, samples.partition.samples, pass)
  }

  private init(
    _ network: Network, _ direction: any SearchDirection, _ l2: Double, _ seed: UInt64, _ samples: Int,
    _ pass: consuming Pass<ChainRule>
  ) {
    self.network = network
    self.direction = direction
    self.l2 = l2
    sampleCount = samples
    self.pass = pass
    iterate = Iterate(network.flat(network.randomWeights(seed: seed)))
  }

  public var work: SweepWork { pass.work }

  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    SweepProgress(objective: (objective ?? .nan) * Double(sampleCount))
  }

  public mutating func archive(_ state: any StateArchive, _ samples: borrowing Samples) throws {
    try state("sweeps", &sweeps)
    try state("caution", &caution.level)
    try state("is_done", &isDone)
    try state("objective", &objective)
    try state.within("iterate") { try iterate.archive(state) }
    try state.within("last") { try archiveLast(state) }
    try state.within("direction") { try direction.archive(state) }
    try state.within("pass") { try pass.archive(state) }
  }

  private mutating func archiveLast(_ state: any StateArchive) throws {
    var numbers = last.map { [$0.step, $0.value, $0.slope] } ?? []
    try state("point", &numbers)
    last = numbers.count == 3 ? LinePoint(step: numbers[0], value: numbers[1], slope: numbers[2]) : nil
  }

  public func copyWeights(to W: inout Layers<Matrix<Float>>) { network.assign(&W, iterate.w) }

  public mutating func takeWeightsOfRoot(over ranks: borrowing Communicator) throws {
    try iterate.w.takeEntriesOfRoot(over: ranks)
  }
}
