import LinearAlgebra
import MPI
import Sums

/// What trains a network, sweep by sweep.
///
/// All that it decides, it decides from values that have the same bits on every rank. A conforming type says how it
/// starts.
public protocol TrainingMethod: ~Copyable {
  /// The network that is trained.
  var network: Network { get }
  /// How many sweeps have been done.
  var sweeps: Int { get }
  /// What the log should say of the sweeps since this was last emptied. Whoever reports empties it.
  var events: [String] { get set }
  /// Where the time of all sweeps went.
  var seconds: SweepSeconds { get }
  /// Whether another sweep would change nothing.
  var isDone: Bool { get }
  /// What all sweeps together cost.
  var work: SweepWork { get }
  /// Does what one iteration of the log stands for. Collective.
  ///
  /// - Parameters:
  ///   - samples: those that the method was started on.
  ///   - isMeasured: whether `progress` will be asked for.
  /// - Throws: `NumericalError`, the same on all ranks, when the method can't go on.
  mutating func sweep(_ samples: borrowing Samples, over ranks: borrowing Communicator, isMeasured: Bool)
    throws
  /// What the last sweep, which was measured, came to. Collective; the same bits for any number of ranks.
  func progress(over ranks: borrowing Communicator) throws -> SweepProgress
  /// Overwrites W_1 … W_L by the weights that the method would end with now. Local, the same on every rank.
  func copyWeights(to W: inout Layers<Matrix<Float>>)
  /// Gives every rank the weights of rank 0, for ranks that have come apart because they round differently. Collective.
  mutating func takeWeightsOfRoot(over ranks: borrowing Communicator) throws
  /// Begins again at given weights after a divergence, more carefully each time: no momentum, memory or multipliers,
  /// and ten times the ridge or, of a method that has none, half the step. Collective.
  ///
  /// The next sweep depends on the weights and on how many divergences there were, not on what the iterates became.
  ///
  /// - Parameters:
  ///   - W: finite weights that this method once had.
  ///   - samples: those that the method was started on.
  /// - Throws: `NumericalError`, the same on all ranks, where the method can't go on from there.
  mutating func restart(
    at W: borrowing Layers<Matrix<Float>>, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws
  /// Lists all that the next sweep depends on beside the samples and the settings, for a checkpoint. Collective.
  ///
  /// A method that was just started on the same samples and then reads what another wrote, on any number of ranks and
  /// threads, goes on to the same bits.
  mutating func archive(_ state: any StateArchive, _ samples: borrowing Samples) throws
}

extension TrainingMethod where Self: ~Copyable {
  public var isDone: Bool { false }
}

/// What a sweep came to. What a method doesn't have is nil.
public struct SweepProgress: Sendable, Equatable {
  /// What the method minimises, summed over samples.
  public var objective: Double
  /// ℓ, summed over samples.
  public var loss: Double?
  /// ‖z_l − W_l a_{l−1}‖ / ‖z_l‖ over the hidden layers together.
  public var outputResidual: Double?
  /// ‖a_l − h(z_l)‖ / ‖a_l‖ over the hidden layers together.
  public var activationResidual: Double?
  /// ‖z_L − W_L a_{L−1}‖ / ‖z_L‖.
  public var lastOutputResidual: Double?
  /// ‖λ‖∞.
  public var largestMultiplier: Double?

  /// An objective alone.
  public init(objective: Double) { self.objective = objective }
}

/// What sweeps cost.
public struct SweepWork: Sendable, Equatable {
  /// Useful floating-point operations of all ranks together; symmetric products count half.
  public var flops = 0.0
  /// Those of them that are sums over samples; the others are updates.
  public var sumFlops = 0.0
  /// How many reductions.
  public var reductions = 0
  /// How many bytes they moved a rank.
  public var bytes = 0
  /// How many samples were visited on all ranks together: passes over the data times samples.
  public var samples = 0.0

  /// Nothing yet.
  public init() {}

  /// Its numbers. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    try state("flops", &flops)
    try state("sum_flops", &sumFlops)
    try state("reductions", &reductions)
    try state("bytes", &bytes)
    try state("samples", &samples)
  }

  /// That of so many sweeps.
  package static func * (count: Int, one: SweepWork) -> SweepWork {
    var all = one
    all.flops *= Double(count)
    all.sumFlops *= Double(count)
    all.reductions *= count
    all.bytes *= count
    all.samples *= Double(count)
    return all
  }
}

/// Seconds that a rank spent in the parts of its sweeps.
public struct SweepSeconds: Sendable {
  /// Solving for the weights, or choosing a step: the same work on every rank.
  public var solve = 0.0
  /// In reductions, waiting for slower ranks included.
  public var reduce = 0.0
  /// Adding up this rank's sums, the mean over its threads. All else is updates.
  public var sum = 0.0

  /// None yet.
  public init() {}
}
