import Basics
import LinearAlgebra
import MPI
import Networks

// Algorithm 1 of Taylor et al. (2016), as algorithm.md §2 states it. Hold it beside the paper: `sweep` is the body
// of its loop.
//
// The paper's loop goes W_1 a_1 z_1 W_2 a_2 z_2 … W_L z_L λ. An update of a_l reads z_l, z_{l+1} and W_{l+1} as the
// sweep before left them, so that all a_l can be updated first; W_l reads them and the z_l of before, and the z_l
// come last. Each update sees what it sees in the paper, so this is the same iteration to the bit: (a_1 … a_{L−1})
// (W_1 … W_L) (z_1 … z_L) λ. A sweep here begins one step later, at W, and ends with the next sweep's a. Then all
// that happens between two weight solves happens to a sample at once: one visit of its tile, and one reduction for
// all layers.

extension Taylor {
  /// One iteration of Algorithm 1. Collective: one reduction, whatever the depth.
  ///
  /// Every rank solves the same small systems for the weights and updates its own columns, tile by tile.
  ///
  /// - Parameter isMeasured: whether to take what `progress` reports on the way.
  /// - Throws: `NumericalError`, the same on all ranks, when an iterate is no longer finite.
  public mutating func sweep(
    _ samples: borrowing Samples, over ranks: borrowing Communicator, isMeasured: Bool = false
  ) throws {
    try factorInputs(samples, over: ranks)
    try reduceSums(samples, over: ranks)
    // W_l ← z_l a_{l−1}ᵀ (a_{l−1} a_{l−1}ᵀ + ρ_l I)⁻¹
    try updateWeights()
    beginMeasuring(isMeasured)
    forEachTile(of: chunks, samples) { tile in
      // The a_l that these weights have seen,  m ← W_L a_{L−1}
      let m = recallActivations(tile)
      // z_L ← argmin_z ℓ(z, y) + ⟨z, λ⟩ + β_L ‖z − m‖²
      updateLastOutputs(m, tile)
      // λ ← λ + s β_L (z_L − m)
      updateMultiplier(m, tile)
      measureLastLayer(m, tile)
      // z_l ← argmin_z γ_l ‖a_l − h(z)‖² + β_l ‖z − W_l a_{l−1}‖²
      for l in 1..<L { updateOutputs(l, tile) }
      // a_l ← (β_{l+1} VᵀV + γ_l I)⁻¹ (β_{l+1} Vᵀ (z_{l+1} − b) + γ_l h(z_l)),   W_{l+1} = [V b]
      for l in 1..<L { updateActivations(l, tile) }
      // Σ z_l a_{l−1}ᵀ,  Σ a_l a_lᵀ
      addSums(tile)
    }
    sweeps += 1
  }
}

// MARK: The steps

extension Taylor {
  /// The sums for all W_l over all ranks. Collective; one reduction, rarely more.
  mutating func reduceSums(_ samples: borrowing Samples, over ranks: borrowing Communicator) throws {
    while try !sums.reduce(over: ranks) { sumAgain(samples) }
  }

  /// All W_l from the sums over all ranks, and from W_{l+1} the system of the next a_l-update. Local, the same on
  /// every rank.
  mutating func updateWeights() throws {
    let start = monotonicSeconds()
    swap(&activationSteps, &formerActivationSteps)
    for l in 1...L {
      do { try solveWeights(l) } catch let error as LAPACKError {
        throw NumericalError.unsolvable(system: "W_\(l)", reason: error.description)
      }
    }
    solving += monotonicSeconds() - start
  }

  private mutating func solveWeights(_ l: Int) throws {
    solved[l].mutableAll.assign(sums.total(.outputs(l)))
    if l > 1 { try systems[l].take(sums.total(.gram(l - 1)), ridge: caution.ridge(settings.ridge)) }
    systems[l].solveFromRight(&solved[l])
    if let event = systems[l].event { events.append("W_\(l): \(event)") }
    let (to, from) = (W[l].mutableBase, solved[l].base)
    for k in 0..<solved[l].count { to[k] = Float(from[k]) }
    try prepareWeights(l)
  }

  /// Makes W_l ready for products, and for the update of a_{l−1}. Local, the same on every rank.
  mutating func prepareWeights(_ l: Int) throws {
    if l == 1 {
      firstWeights.assign(weights(1))
    } else {
      try activationSteps[l - 1].prepare(W: weights(l), r: Double(gamma[l - 2]) / Double(beta[l - 1]))
    }
  }

  /// All a_l as the last a-updates made them, and W_L a_{L−1}, which is returned. Local; valid until the next product
  /// of the tile.
  func recallActivations(_ tile: TaylorTile) -> Tile<Float> {
    for l in 1..<L where !variables.isStored[l] && !isImplicit(l) { apply(formerActivationSteps[l], l, tile) }
    return L > 1 && isImplicit(L - 1) ? recallLastActivations(tile) : product(L, tile)
  }

  /// What makes a_{L−1} from z_{L−1}, and W_L a_{L−1}, which comes with it and is returned. Local.
  private func recallLastActivations(_ tile: TaylorTile) -> Tile<Float> {
    let (l, m) = (L - 1, tile.m(L))
    formerActivationSteps[l].recall(
      tile.room.residual.mutableBase, m.base, z: Tile(tile.z(l)), next: Tile(tile.z(L)),
      newer: activationSteps[l], network.activation)
    return Tile(m)
  }

  /// Whether a_l is not even stored within a visit: for one output a number a sample does.
  private func isImplicit(_ l: Int) -> Bool {
    l == L - 1 && !variables.isStored[l] && activationSteps[l].canBeImplicit
  }

  /// The a_l of the next sweep. Local.
  func updateActivations(_ l: Int, _ tile: TaylorTile) { apply(activationSteps[l], l, tile) }

  private func apply(_ step: borrowing ActivationStep, _ l: Int, _ tile: TaylorTile) {
    step.apply(
      tile.a(l), z: Tile(tile.z(l)), next: Tile(tile.z(l + 1)), network.activation,
      work: tile.room.work.mutableBase)
  }

  /// z_L. Local.
  func updateLastOutputs(_ m: Tile<Float>, _ tile: TaylorTile) {
    network.loss.minimise(
      tile.z(L), m: m, y: tile.y, lambda: Tile(tile.lambda), beta: beta[L - 1],
      scratch: tile.room.scratch.mutableElements)
  }

  /// z_l, l < L. Local.
  func updateOutputs(_ l: Int, _ tile: TaylorTile) {
    let a: Activations =
      isImplicit(l)
      ? .implicit(formerActivationSteps[l].implicit(tile.room.residual.base))
      : .stored(Tile(tile.a(l).rows(0..<network.widths[l])))
    withPanels(l) { W in
      network.activation.minimise(
        tile.z(l), W, tile.inputs(l - 1), a: a, beta: beta[l - 1], gamma: gamma[l - 1],
        residuals: &tile.room.measures.layers[l - 1], work: tile.room.work.mutableBase)
    }
  }

  /// λ. Local. It stays 0 during the warm start.
  func updateMultiplier(_ m: Tile<Float>, _ tile: TaylorTile) {
    guard settings.hasMultiplier && sweeps >= settings.warmStart else { return }
    let (z, lambda, step) = (Tile(tile.z(L)), tile.lambda, settings.dualStep * beta[L - 1])
    if m.isOnePiece {
      update(lambda.asColumn, z.asColumn, m.asColumn, step)
    } else {
      update(lambda, z, m, step)
    }
  }

  /// λ ← λ + step (z − m).
  private func update(_ lambda: MutableTile<Float>, _ z: Tile<Float>, _ m: Tile<Float>, _ step: Float) {
    for j in 0..<z.columns {
      let (lambda, z, m, rows) = (lambda.column(j), z.column(j), m.column(j), z.rows)
      for i in 0..<rows { lambda[i] += step * (z[i] - m[i]) }
    }
  }

  private func measureLastLayer(_ m: Tile<Float>, _ tile: TaylorTile) {
    tile.room.measures.addLastLayer(
      network.loss, z: Tile(tile.z(L)), m: m, y: tile.y, lambda: Tile(tile.lambda))
  }

  /// Adds the tile to the sums of its chunk. Local.
  func addSums(_ tile: TaylorTile) {
    sums.add(
      thread: tile.thread, a: { tile.inputs($0) }, left: { Tile(tile.z($0)) },
      meanwhile: { tile.room.prefetch() })
  }

  /// The sums of all chunks once more, from the variables as they stand. Local.
  func sumAgain(_ samples: borrowing Samples) {
    forEachTile(of: chunks, samples) { tile in
      for l in 1..<L { updateActivations(l, tile) }
      addSums(tile)
    }
  }

  /// W_l a_{l−1}. Local; valid until the next product of the tile.
  func product(_ l: Int, _ tile: TaylorTile) -> Tile<Float> {
    let m = tile.m(l)
    withPanels(l) { W in W.multiply(m, tile.inputs(l - 1)) }
    return Tile(m)
  }

  /// Gives `body` W_l as products read it.
  func withPanels(_ l: Int, _ body: (borrowing Panels) -> Void) {
    if l == 1 { body(firstWeights) } else { body(activationSteps[l - 1].weights) }
  }

  /// W_l without the bias column where there is no bias.
  func weights(_ l: Int) -> Tile<Float> { W[l].columns(0..<network.inputs(l)) }
}
