import Basics
import Configuration
import LinearAlgebra
import MPI
import Networks
import Reports
import Sums

/// How far training has come: all that its loop and its results depend on beside the method.
struct TrainingProgress: ~Copyable {
  /// How many iterations are done.
  var iteration = 0
  var outcome: TrainingOutcome
  /// The weights before the first iteration.
  var start: Layers<Matrix<Float>>
  var pace = Pace()
  var rule: StopRule
  var replicas = Replicas()
  var divergences = Divergences()

  /// Before the first iteration of a method that was just started.
  ///
  /// - Parameter watchesTime: whether nobody else does.
  init(_ network: Network, _ stop: StopSection, watchesTime: Bool) {
    start = network.zeroWeights()
    outcome = TrainingOutcome(
      status: .max_iterations, last: IterationRecord(iteration: 0), best: nil, W: network.zeroWeights())
    rule = StopRule(stop, watchesTime: watchesTime)
  }

  /// Remembers the weights of a method that was just started. Local.
  mutating func takeStart<Method: TrainingMethod & ~Copyable>(of method: inout Method) {
    method.copyWeights(to: &start)
    outcome.W.assign(start)
  }

  /// What came out, at the end.
  consuming func takeOutcome() -> TrainingOutcome { outcome }

  /// All of it, with the time that the phases took. Collective.
  ///
  /// - Parameter clocks: the method's own clocks, whose time `phases` still counts as `.update`.
  mutating func archive(_ state: any StateArchive, _ phases: Phases, clocks: SweepSeconds) throws {
    try state("iteration", &iteration)
    try state("weights", &outcome.W)
    try state.within("last") { try outcome.last.archive(state) }
    try state.within("best") { try outcome.best.archive(state) }
    try state.within("pace") { try pace.archive(state) }
    try state.within("stop") { try rule.archive(state) }
    try state("has_warned_of_replicas", &replicas.hasWarned)
    try state.within("divergences") { try divergences.archive(state) }
    let own = clocks.byPhase
    for phase in Phase.allCases {
      let moved = phase == .update ? -own.values.reduce(0, +) : own[phase] ?? 0
      var seconds = phases[phase] + moved
      try state("seconds_of_\(phase.name)", &seconds)
      if state.isReading { phases.add(seconds, to: phase) }
    }
  }

  /// Makes the outcome whole at the end of training. Local.
  mutating func finish<Method: TrainingMethod & ~Copyable>(
    _ method: borrowing Method, _ phases: Phases, keepsBest: Bool
  ) {
    outcome.iterations = method.sweeps
    outcome.work = method.work
    if !keepsBest { outcome.best = nil }
    for (phase, seconds) in method.seconds.byPhase { phases.move(seconds, from: .update, to: phase) }
  }
}

extension SweepSeconds {
  /// What a method's own clocks have measured, by what that counts as.
  fileprivate var byPhase: [Phase: Double] { [.solve: solve, .reduce: reduce, .sum: sum] }
}

/// How long training has taken so far, and how fast it goes.
struct Pace {
  /// Of the sweeps: this rank's, or after `agree` the slowest rank's.
  private(set) var seconds = 0.0
  /// What there was when the speed was last asked for.
  private var last = (flops: 0.0, seconds: 0.0)

  /// Adds the time that `body` takes, unless it throws, and returns it.
  mutating func time(_ body: () throws -> Void) rethrows -> Double {
    let start = monotonicSeconds()
    try body()
    let taken = monotonicSeconds() - start
    seconds += taken
    return taken
  }

  /// Makes the time that of the slowest rank, the same number on all. Collective.
  mutating func agree(over ranks: borrowing Communicator) throws { seconds = try ranks.max(seconds) }

  /// The time so far. Collective.
  mutating func archive(_ state: any StateArchive) throws {
    try state("seconds", &seconds)
    try state("last_flops", &last.flops)
    try state("last_seconds", &last.seconds)
  }

  /// Useful operations a second since this was last asked, in 10⁹, for each rank.
  mutating func gflopsPerRank(_ work: SweepWork, ranks: Int) -> Double {
    defer { last = (work.flops, seconds) }
    return (work.flops - last.flops) / Double(ranks) / (seconds - last.seconds) / 1e9
  }
}
