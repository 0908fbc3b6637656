import Networks
import Sums

// What a checkpoint of `accelerated` holds.

extension Accelerated {
  package mutating func archive(_ state: any StateArchive, _ samples: borrowing Samples) throws {
    try state("sweeps", &sweeps)
    try state("caution", &caution.level)
    try state("is_done", &isDone)
    try state("steps", &stepCount)
    try state("next_grams", &nextGrams)
    try state("objective", &objective)
    try state.within("iterate") { try iterate.archive(state) }
    try state.within("phase") { try archivePhase(state) }
    try state.within("metric") { try metric.archive(state) }
    try state.within("pass") { try pass.archive(state) }
  }

  private mutating func archivePhase(_ state: any StateArchive) throws {
    var name = phase.name
    try state("name", &name)
    if name != phase.name {
      switch name {
      case Phase.Name.momentum: phase = .momentum(MomentumState(network, step: settings.step))
      case Phase.Name.quasiNewton: phase = .quasiNewton(QuasiNewtonState(network, pairs: settings.pairs))
      default: break
      }
    }
    switch phase {
    case .batches(let steps, let growth):
      try steps.archive(state)
      try state.within("growth") { try growth.archive(state) }
    case .momentum(let steps): try steps.archive(state)
    case .quasiNewton(let steps): try steps.archive(state)
    }
  }
}

extension Accelerated.Phase {
  /// The names of the phases in a checkpoint.
  fileprivate enum Name {
    static var batches: String { "batches" }
    static var momentum: String { "momentum" }
    static var quasiNewton: String { "quasi_newton" }
  }

  fileprivate var name: String {
    switch self {
    case .batches: Name.batches
    case .momentum: Name.momentum
    case .quasiNewton: Name.quasiNewton
    }
  }
}
