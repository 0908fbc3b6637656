import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// What quasi-Newton steps keep.
final class QuasiNewtonState {
  /// H, from the last pairs and the Gram metric.
  var memory: QuasiNewton
  /// Whether f and g at w over all samples are known.
  var isEvaluated = false

  init(_ network: Network, pairs: Int) { memory = QuasiNewton(count: network.flatCount, capacity: pairs) }

  func archive(_ state: any StateArchive) throws {
    try memory.archive(state)
    try state("is_evaluated", &isEvaluated)
  }
}

extension Accelerated {
  /// One step on all samples, along −H g from the metric of the Gram matrices; where that is no descent, the memory
  /// begins again. Collective: one reduction an evaluation, mostly one.
  mutating func quasiNewtonStep(
    _ state: QuasiNewtonState, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    guard !isDone else { return }
    if !state.isEvaluated { try evaluateFirst(state, samples, over: ranks) }
    guard try !step(state, samples, over: ranks) else { return }
    let hadMemory = !state.memory.isEmpty
    state.memory.clear()
    if hadMemory { if try step(state, samples, over: ranks) { return } }
    isDone = true
    events.append("no step lowers the objective any more")
  }

  /// One step along −H g; false, and nothing changed, if none was found.
  private mutating func step(
    _ state: QuasiNewtonState, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws -> Bool {
    // d = −H g,  H₀ = (G + ρ I)⁻¹
    let start = monotonicSeconds()
    state.memory.direction(&iterate.direction, iterate.g) { metric.multiply(&$0, $1) }
    let slope = iterate.direction.dot(iterate.g)
    seconds.solve += monotonicSeconds() - start
    guard slope < 0 else { return false }
    // w ← w + α d, α by the strong Wolfe conditions
    let hasGrams = stepCount >= nextGrams
    let found = try iterate.search(from: objective, slope: slope, first: firstStep(state)) {
      try evaluate(on: .whole, samples, hasGrams: hasGrams, over: ranks)
    }
    guard let found else { return false }
    objective = found.value
    stepCount += 1
    // s = w − w', y = g − g'
    let after = monotonicSeconds()
    state.memory.add(iterate)
    if hasGrams { try refreshWholeMetric() }
    seconds.solve += monotonicSeconds() - after
    return true
  }

  /// The first step that a search tries. Without a memory the metric alone has no scale of its own: the loss's
  /// curvature gives one.
  private func firstStep(_ state: QuasiNewtonState) -> Double {
    // Of the metric's own step, 1 over the curvature, a part for each layer: all of them move at once. The 2 is
    // chosen, not tuned: a first step that is too long costs a pass, one that is too short is lengthened.
    state.memory.isEmpty ? min(1, 1 / (network.loss.largestCurvature * Double(2 * network.L))) : 1
  }

  private mutating func evaluateFirst(
    _ state: QuasiNewtonState, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    objective = try pass.evaluate(
      &iterate.g, at: iterate.w, over: .whole, of: samples, l2: l2, hasGrams: true, ranks)
    state.isEvaluated = true
    try refreshMetric(from: .whole)
  }

  /// The same after a quasi-Newton step: at regular intervals, since the pass costs more than the factors.
  private mutating func refreshWholeMetric() throws {
    try refreshMetric(from: .whole)
    nextGrams = stepCount + AcceleratedTuning.wholeGramInterval
  }
}
