import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// Method `taylor`: Algorithm 1, its variables and what a sweep works with. `Sweep.swift` has the algorithm.
///
/// The variables have the paper's names and shapes (algorithm.md §1). W is the same, to the bit, on every rank;
/// those of the samples' size are in `Variables`.
public struct Taylor: ~Copyable, TrainingMethod {
  /// The network that is trained.
  public let network: Network
  /// ridge, multiplier and so on.
  public let settings: TaylorSettings
  /// β_1 … β_L and γ_1 … γ_{L−1}.
  let beta, gamma: [Float]

  /// W_l, d_l × (d_{l−1} + 1), l = 1 … L.
  public internal(set) var W: Layers<Matrix<Float>>
  /// z, λ and what is stored of a.
  package let variables: Variables

  /// How many sweeps have been done.
  public internal(set) var sweeps = 0
  /// What the log should say of the last sweep, such as a raised ridge. Whoever reports empties it.
  public var events: [String] = []
  /// Grows with each divergence.
  var caution = Caution()
  /// With which the data's system was factored; nil before it was.
  var factoredCaution: Caution?
  /// Seconds in the weight systems.
  var solving = 0.0
  /// What the start took of the times that `sums` counts.
  private var atStart = SweepSeconds()

  /// Brings the sums for all W_l in one message.
  var sums: LayerSums
  /// a_{l−1} a_{l−1}ᵀ + ρ_l I, l = 1 … L. That of the data is reduced and factored once a run.
  var systems: Layers<WeightSystem>
  /// Where W_l is solved for, l = 1 … L.
  var solved: Layers<Matrix<Double>>
  /// W_1 as products read it.
  var firstWeights: Panels
  /// W_{l+1} made ready, l = 1 … L−1: of this sweep and of the one before, whose a_l may be asked for again.
  var activationSteps, formerActivationSteps: Layers<ActivationStep>
  let team: ThreadTeam
  /// One a thread.
  let rooms: [TaylorRoom]
  /// This rank's chunks.
  let chunks: [Int]
  /// N.
  private let sampleCount: Int
  /// Most samples a tile.
  public let tileColumns: Int

  /// L.
  var L: Int { network.L }

  /// Makes the start values, their sums and the first W. Collective; some 4 reductions.
  ///
  /// - Parameter tileColumns: how many samples a tile has; `nil` goes by the cache. The weights' bits don't depend
  ///   on it.
  /// - Throws: `NumericalError`, the same on all ranks, if the data's sums are not finite; a `Failure` of this rank
  ///   where the system gives no more threads.
  public static func start(
    _ network: Network, _ settings: TaylorSettings, _ samples: borrowing Samples, _ options: StartOptions,
    tileColumns: Int? = nil, over ranks: borrowing Communicator
  ) throws -> Taylor {
    samples.check(network)
    // The least of all hosts', so that reported sums are rounded in the same places everywhere.
    let columns = try ranks.min(tileColumns ?? Self.tileColumns(network))
    var taylor = Taylor(network, settings, samples, try ThreadTeam(count: options.threads), columns)
    try taylor.factorInputs(samples, over: ranks)
    try taylor.begin(samples, seed: options.seed, over: ranks)
    taylor.atStart = taylor.seconds
    taylor.events = []
    return taylor
  }

  private init(
    _ network: Network, _ settings: TaylorSettings, _ samples: borrowing Samples, _ team: ThreadTeam,
    _ tileColumns: Int
  ) {
    let (L, d) = (network.L, network.widths)
    let (beta, gamma) = (settings.beta.values(L), settings.gamma.values(L - 1))
    precondition(beta.count == L && beta.allSatisfy { $0 > 0 }, "beta \(beta)")
    precondition(gamma.count == L - 1 && gamma.allSatisfy { $0 > 0 }, "gamma \(gamma)")
    self.network = network
    self.settings = settings
    (self.beta, self.gamma) = (beta, gamma)
    sampleCount = samples.partition.samples
    self.tileColumns = tileColumns
    self.team = team
    chunks = Array(samples.chunks)
    W = network.zeroWeights()
    let variables = Variables(network, settings.storage, samples: samples.count)
    self.variables = variables
    activationSteps = Layers(1..<L) { l in ActivationStep(from: d[l + 1], to: d[l], hasBias: network.bias) }
    formerActivationSteps = Layers(1..<L) { l in
      ActivationStep(from: d[l + 1], to: d[l], hasBias: network.bias)
    }
    sums = LayerSums(
      LayerSum.ofSweep(network), network, samples.partition, threads: team.count,
      isStacked: { variables.isStacked[$0] })
    systems = Layers(1..<L + 1) { l in WeightSystem(size: network.inputs(l)) }
    solved = Layers(1..<L + 1) { l in Matrix(rows: d[l], columns: network.inputs(l)) }
    firstWeights = Panels(rows: d[1], columns: network.inputs(1))
    rooms = (0..<team.count).map { _ in TaylorRoom(network, columns: tileColumns) { variables.isStored[$0] } }
  }

  /// Where the time of all sweeps went.
  public var seconds: SweepSeconds {
    var seconds = SweepSeconds()
    seconds.solve = solving - atStart.solve
    seconds.reduce = sums.reducing - atStart.reduce
    seconds.sum = sums.summing - atStart.sum
    return seconds
  }

  /// What all sweeps together cost. algorithm.md §5, §6.
  public var work: SweepWork {
    var (one, updates, sumFlops) = (SweepWork(), 0, 0)
    for l in 1...L {
      let product = 2 * network.widths[l] * network.inputs(l)
      updates += product
      sumFlops += product
      guard l < L else { continue }
      let d = network.inputs(l + 1)
      sumFlops += d * (d + 1)
      updates += ActivationStep.flops(from: network.widths[l + 1], to: network.widths[l])
    }
    one.samples = Double(sampleCount)
    one.flops = Double(updates + sumFlops) * one.samples
    one.sumFlops = Double(sumFlops) * one.samples
    one.reductions = 1
    one.bytes = sums.bytes
    return sweeps * one
  }

  /// W, z, λ and the grids; the rest follows from them, but for the data's system, which every start makes.
  public mutating func archive(_ state: any StateArchive, _ samples: borrowing Samples) throws {
    try state("sweeps", &sweeps)
    try state("caution", &caution.level)
    try state("W", &W)
    for l in 1...L { try state.bySample("z\(l)", variables.z[l].own(rows: network.widths[l])) }
    try state.bySample("lambda", variables.lambda.own(rows: network.widths[L]))
    try state.within("sums") { try sums.archive(state) }
    guard state.isReading else { return }
    for l in 1...L { try prepareWeights(l) }
    sumAgain(samples)
  }

  public func copyWeights(to W: inout Layers<Matrix<Float>>) { W.assign(self.W) }

  public mutating func takeWeightsOfRoot(over ranks: borrowing Communicator) throws {
    for l in 1...L { try W[l].takeEntriesOfRoot(over: ranks) }
  }
}
