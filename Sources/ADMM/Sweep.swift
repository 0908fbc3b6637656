import LinearAlgebra
import MPI

// Algorithm 1 of Taylor et al. (2016), as algorithm.md §2 states it. Hold it beside the paper: `sweep` is the body of its loop.

extension Taylor {
  /// One iteration of Algorithm 1. Collective: L − 1 reductions (1 for L = 1).
  ///
  /// Every rank solves the same small systems for the weights and updates its own columns, tile by tile. The sums that the next
  /// weights need are taken while a tile is in the cache; z_1 a_0ᵀ, for the W_1 of the next sweep, travels with those for W_2.
  ///
  /// - Throws: a numerical `Failure`, the same on all ranks, when an iterate is no longer finite.
  public mutating func sweep(over ranks: borrowing Communicator) throws {
    for l in 1..<L {
      // W_l ← z_l a_{l−1}ᵀ (a_{l−1} a_{l−1}ᵀ + ρ_l I)⁻¹
      try updateWeights(l)
      for chunk in chunks {
        for tile in tiles(of: chunk) {
          // a_l ← (β_{l+1} VᵀV + γ_l I)⁻¹ (β_{l+1} Vᵀ (z_{l+1} − b) + γ_l h(z_l)),   W_{l+1} = [V b]
          updateActivations(l, tile)
          // z_l ← argmin_z γ_l ‖a_l − h(z)‖² + β_l ‖z − W_l a_{l−1}‖²
          updateOutputs(l, tile)
          addSums(l + 1, tile, of: chunk)
        }
        closeChunk(l + 1)
      }
      try reduceSums(l + 1, over: ranks)
    }
    // W_L ← z_L a_{L−1}ᵀ (a_{L−1} a_{L−1}ᵀ + ρ_L I)⁻¹
    try updateWeights(L)
    for chunk in chunks {
      for tile in tiles(of: chunk) {
        // z_L ← argmin_z ℓ(z, y) + ⟨z, λ⟩ + β_L ‖z − W_L a_{L−1}‖²
        updateLastOutputs(tile)
        // λ ← λ + s β_L (z_L − W_L a_{L−1})
        updateMultiplier(tile)
        if L == 1 { addSums(1, tile, of: chunk) }
      }
      if L == 1 { closeChunk(1) }
    }
    if L == 1 { try reduceSums(1, over: ranks) }
    sweeps += 1
  }
}

// MARK: The steps

extension Taylor {
  /// W_l from the sums over all ranks, and from W_l the system of the next a_{l−1}-update. Local, the same on every rank.
  package mutating func updateWeights(_ l: Int) throws {
    let start = monotonicSeconds()
    let solved = Matrix<Double>(rows: network.widths[l], columns: network.inputs(l))
    messages[l == 1 && L > 1 ? 2 : l].withTotal(.product(l)) { solved.assign($0) }
    if l == 1 {
      try dataSystem.solveFromRight(solved)
      note(dataSystem.event, l)
    } else {
      let system = messages[l].withTotal(.gram(l - 1)) { WeightSystem($0, ridge: settings.ridge) }
      try system.solveFromRight(solved)
      note(system.event, l)
    }
    for k in 0..<solved.count { W[l].base[k] = Float(solved.base[k]) }
    if l > 1 { try prepareActivations(l - 1) }
    seconds.solve += monotonicSeconds() - start
  }

  /// a_l of some columns. Local.
  package func updateActivations(_ l: Int, _ columns: Range<Int>) {
    let activations = a[l].columns(columns)
    network.activation.apply(activations.rows(0..<network.widths[l]), z[l].columns(columns))
    activationSteps[l].apply(
      activations, z: z[l + 1].columns(columns), W: weights(l + 1), work: work.columns(0..<columns.count))
  }

  /// z_l of some columns, l < L. Local.
  package func updateOutputs(_ l: Int, _ columns: Range<Int>) {
    let outputs = z[l].columns(columns)
    multiply(outputs, weights(l), inputs(l - 1, columns))
    network.activation.minimise(
      outputs, a: a[l].columns(columns).rows(0..<network.widths[l]), beta: settings.beta[l - 1],
      gamma: settings.gamma[l - 1])
  }

  /// z_L of some columns; leaves W_L a_{L−1} in `work`. Local.
  package func updateLastOutputs(_ columns: Range<Int>) {
    let m = work.columns(0..<columns.count).rows(0..<network.widths[L])
    multiply(m, weights(L), inputs(L - 1, columns))
    network.loss.minimise(
      z[L].columns(columns), m: m, y: y.columns(columns), lambda: lambda.columns(columns),
      beta: settings.beta[L - 1], scratch: scratch.elements)
  }

  /// λ of some columns, whose W_L a_{L−1} is in `work`. Local. λ stays 0 during the warm start.
  package func updateMultiplier(_ columns: Range<Int>) {
    guard settings.hasMultiplier && sweeps >= settings.warmStart else { return }
    let step = settings.dualStep * settings.beta[L - 1]
    for j in 0..<columns.count {
      let (lambda, z) = (lambda.columns(columns).column(j), z[L].columns(columns).column(j))
      let m = work.columns(0..<columns.count).column(j)
      for i in 0..<network.widths[L] { lambda[i] += step * (z[i] - m[i]) }
    }
  }

  /// Adds a tile to the sums of message l. Local.
  package func addSums(_ l: Int, _ tile: Range<Int>, of chunk: Range<Int>) {
    messages[l].add(
      isFirst: tile.lowerBound == chunk.lowerBound, a: { inputs($0, tile) }, z: { z[$0].columns(tile) })
  }

  /// Ends a chunk in the sums of message l. Local.
  package mutating func closeChunk(_ l: Int) { messages[l].closeChunk() }

  /// The sums of message l over all ranks. Collective; one reduction, rarely more.
  package mutating func reduceSums(_ l: Int, over ranks: borrowing Communicator) throws {
    let start = monotonicSeconds()
    while try !messages[l].reduce(over: ranks) { sum(l) }
    seconds.reduce += monotonicSeconds() - start
  }

  /// All chunks of message l, from the variables as they stand. Local.
  mutating func sum(_ l: Int) {
    for chunk in chunks {
      for tile in tiles(of: chunk) { addSums(l, tile, of: chunk) }
      closeChunk(l)
    }
  }

  /// Solves the system of the a_l-update for the W_{l+1} at hand. Local.
  func prepareActivations(_ l: Int) throws {
    let r = Double(settings.gamma[l - 1]) / Double(settings.beta[l])
    try activationSteps[l].prepare(V: W[l + 1].columns(0..<network.widths[l]), r: r)
  }

  private mutating func note(_ event: String?, _ l: Int) {
    if let event { events.append("W_\(l): \(event)") }
  }
}
