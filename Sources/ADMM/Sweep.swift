import Basics
import LinearAlgebra
import MPI
import Networks

// Algorithm 1 of Taylor et al. (2016), as algorithm.md §2 states it. Hold it beside the paper: `sweep` is the body of its loop.
//
// The paper's loop goes W_1 a_1 z_1 W_2 a_2 z_2 … W_L z_L λ. An update of a_l reads z_l, z_{l+1} and W_{l+1} as the sweep before left
// them, so that all a_l can be updated first; W_l reads them and the z_l of before, and the z_l come last. Each update sees what it
// sees in the paper, so this is the same iteration to the bit: (a_1 … a_{L−1}) (W_1 … W_L) (z_1 … z_L) λ. A sweep here
// begins one step later, at W, and ends with the next sweep's a. Then all that happens between two weight solves happens to a sample at once:
// one visit of its tile, and one reduction for all layers.

extension Taylor {
  /// One iteration of Algorithm 1. Collective: one reduction, whatever the depth.
  ///
  /// Every rank solves the same small systems for the weights and updates its own columns, tile by tile.
  ///
  /// - Parameter isMeasured: whether to take what `objective` reports on the way.
  /// - Throws: `NumericalError`, the same on all ranks, when an iterate is no longer finite.
  public mutating func sweep(over ranks: borrowing Communicator, isMeasured: Bool = false) throws {
    try reduceSums(over: ranks)
    // W_l ← z_l a_{l−1}ᵀ (a_{l−1} a_{l−1}ᵀ + ρ_l I)⁻¹
    try updateWeights()
    beginMeasuring(isMeasured)
    forEachTile { tile in
      // The a_l that these weights have seen.
      for l in 1..<L { recallActivations(l, tile) }
      // z_L ← argmin_z ℓ(z, y) + ⟨z, λ⟩ + β_L ‖z − W_L a_{L−1}‖²
      updateLastOutputs(tile)
      // λ ← λ + s β_L (z_L − W_L a_{L−1})
      updateMultiplier(tile)
      // z_l ← argmin_z γ_l ‖a_l − h(z)‖² + β_l ‖z − W_l a_{l−1}‖²
      for l in 1..<L { updateOutputs(l, tile) }
      // a_l ← (β_{l+1} VᵀV + γ_l I)⁻¹ (β_{l+1} Vᵀ (z_{l+1} − b) + γ_l h(z_l)),   W_{l+1} = [V b]
      for l in 1..<L { updateActivations(l, tile) }
      addSums(tile)
    }
    seconds.sum += secondsOfSums()
    sweeps += 1
  }
}

// MARK: The steps

extension Taylor {
  /// The sums for all W_l over all ranks. Collective; one reduction, rarely more.
  mutating func reduceSums(over ranks: borrowing Communicator) throws {
    func reduce() throws -> Bool {
      let start = monotonicSeconds()
      defer { seconds.reduce += monotonicSeconds() - start }
      return try sums.reduce(over: ranks)
    }
    while try !reduce() { sumAgain() }
  }

  /// All W_l from the sums over all ranks, and from W_{l+1} the system of the next a_l-update. Local, the same on every rank.
  mutating func updateWeights() throws {
    let start = monotonicSeconds()
    swap(&steps, &formerSteps)
    for l in 1...L {
      do { try solveWeights(l) } catch let error as LAPACKError {
        throw NumericalError.unsolvable(system: "W_\(l)", reason: error.description)
      }
    }
    seconds.solve += monotonicSeconds() - start
  }

  private mutating func solveWeights(_ l: Int) throws {
    sums.withTotal(.outputs(l)) { solved[l].assign($0) }
    if l > 1 {
      try sums.withTotal(.gram(l - 1)) { try systems[l].take($0, ridge: settings.ridge) }
    }
    systems[l].solveFromRight(solved[l])
    if let event = systems[l].event { events.append("W_\(l): \(event)") }
    for k in 0..<solved[l].count { W[l].base[k] = Float(solved[l].base[k]) }
    if l == 1 {
      firstWeights.assign(weights(1))
    } else {
      let r = Double(settings.gamma[l - 2]) / Double(settings.beta[l - 1])
      try steps[l - 1].prepare(W: weights(l), r: r)
    }
  }

  /// a_l as the last a-update made it. Local.
  func recallActivations(_ l: Int, _ tile: TileVisit) {
    if isImplicit(l) {
      formerSteps[l].recall(
        tile.workspace.residual.base, room(L, tile).base, z: outputs(l, tile), next: outputs(L, tile),
        newer: steps[l], network.activation)
    } else if !isStored[l] {
      apply(formerSteps[l], l, tile)
    }
  }

  /// Whether a_l is not even stored within a visit: for one output a number a sample does. W_L a_{L−1} comes with it.
  private func isImplicit(_ l: Int) -> Bool { l == L - 1 && !isStored[l] && steps[l].canBeImplicit }

  /// The a_l of the next sweep. Local.
  func updateActivations(_ l: Int, _ tile: TileVisit) { apply(steps[l], l, tile) }

  private func apply(_ step: borrowing ActivationStep, _ l: Int, _ tile: TileVisit) {
    step.apply(
      activations(l, tile), z: outputs(l, tile), next: outputs(l + 1, tile), network.activation,
      work: tile.workspace.work.base)
  }

  /// z_L; leaves W_L a_{L−1} in the workspace. Local.
  func updateLastOutputs(_ tile: TileVisit) {
    let m = L > 1 && isImplicit(L - 1) ? room(L, tile) : product(L, tile)
    network.loss.minimise(
      outputs(L, tile), m: m, y: y.columns(tile.columns), lambda: lambda.columns(tile.columns),
      beta: settings.beta[L - 1], scratch: tile.workspace.scratch.elements)
  }

  /// z_l, l < L. Local.
  func updateOutputs(_ l: Int, _ tile: TileVisit) {
    let a: Activations =
      isImplicit(l)
      ? .implicit(formerSteps[l].implicit(tile.workspace.residual.base))
      : .stored(activations(l, tile).rows(0..<network.widths[l]))
    let (z, x, beta, gamma) = (
      outputs(l, tile), inputs(l - 1, tile), settings.beta[l - 1], settings.gamma[l - 1]
    )
    withPanels(l) { W in
      network.activation.minimise(
        z, W, x, a: a, beta: beta, gamma: gamma, residuals: &tile.workspace.residuals[l - 1],
        work: tile.workspace.work.base)
    }
  }

  /// λ, by the W_L a_{L−1} that the update of z_L left. Local. λ stays 0 during the warm start.
  func updateMultiplier(_ tile: TileVisit) {
    let (m, z, lambda) = (room(L, tile), outputs(L, tile), lambda.columns(tile.columns))
    if settings.hasMultiplier && sweeps >= settings.warmStart {
      let step = settings.dualStep * settings.beta[L - 1]
      if m.isOnePiece {
        update(lambda.asColumn, z.asColumn, m.asColumn, step)
      } else {
        update(lambda, z, m, step)
      }
    }
    tile.workspace.measureLastLayer(network.loss, z: z, m: m, y: y.columns(tile.columns), lambda: lambda)
  }

  /// λ ← λ + step (z − m).
  private func update(_ lambda: Tile<Float>, _ z: Tile<Float>, _ m: Tile<Float>, _ step: Float) {
    for j in 0..<z.columns {
      let (lambda, z, m, rows) = (lambda.column(j), z.column(j), m.column(j), z.rows)
      for i in 0..<rows { lambda[i] += step * (z[i] - m[i]) }
    }
  }

  /// Adds the tile to the sums of its chunk. Local.
  func addSums(_ tile: TileVisit) {
    let workspace = tile.workspace
    let start = monotonicSeconds()
    sums.add(
      thread: workspace.thread, a: { inputs($0, tile) }, z: { outputs($0, tile) },
      meanwhile: { workspace.prefetch() })
    workspace.summing += monotonicSeconds() - start
  }

  /// The sums of all chunks once more, from the variables as they stand. Local.
  func sumAgain() {
    forEachTile { tile in
      for l in 1..<L { updateActivations(l, tile) }
      addSums(tile)
    }
  }

  /// m = W_l a_{l−1}, in the workspace. Local.
  func product(_ l: Int, _ tile: TileVisit) -> Tile<Float> {
    let m = room(l, tile)
    withPanels(l) { W in W.multiply(m, inputs(l - 1, tile)) }
    return m
  }

  /// Gives `body` W_l as products read it.
  func withPanels(_ l: Int, _ body: (borrowing Panels) -> Void) {
    if l == 1 { body(firstWeights) } else { body(steps[l - 1].weights) }
  }

  /// Where `product(l, tile)` lies.
  private func room(_ l: Int, _ tile: TileVisit) -> Tile<Float> {
    let rows = network.widths[l]
    return Tile(
      base: tile.workspace.work.base, rows: rows, columns: tile.columns.count,
      stride: rows < Panels.fewRows ? rows : paddedRows(rows))
  }
}
