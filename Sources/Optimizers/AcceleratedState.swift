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
      switch PhaseName(rawValue: name) {
      case .momentum: phase = .momentum(MomentumState(network, step: settings.step))
      case .quasiNewton: phase = .quasiNewton(QuasiNewtonState(network, pairs: settings.pairs))
      // A method that was just started has batches already, where it has any.
      case .batches, nil: break
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

/// The phases' names in a checkpoint.
private enum PhaseName: String { case batches, momentum, quasiNewton = "quasi_newton" }

extension Accelerated.Phase {
  fileprivate var name: String {
    let name: PhaseName =
      switch self {
      case .batches: .batches
      case .momentum: .momentum
      case .quasiNewton: .quasiNewton
      }
    return name.rawValue
  }
}
