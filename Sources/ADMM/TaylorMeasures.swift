import LinearAlgebra
import MPI
import Networks
import Sums

/// What a thread measures of a sweep: the terms of the objective (O) and how well its constraints hold.
struct TaylorMeasures {
  /// Loss, ⟨z_L, λ⟩, ‖z_L − W_L a_{L−1}‖², ‖z_L‖², then for each hidden layer what `LayerResiduals` holds.
  private(set) var sums: ExactSum
  /// ‖λ‖∞
  private(set) var largestMultiplier: Float = 0
  /// Of each hidden layer, for the tile at hand; nil if nobody asks.
  var layers: [LayerResiduals?]
  private(set) var isOn = false

  init(_ L: Int) {
    sums = ExactSum(count: 4 * L)
    layers = [LayerResiduals?](repeating: nil, count: L - 1)
  }

  /// Begins to measure, or leaves it. Local.
  mutating func begin(_ isOn: Bool) {
    self.isOn = isOn
    sums.clear()
    largestMultiplier = 0
  }

  mutating func beginTile() {
    for l in layers.indices { layers[l] = isOn ? LayerResiduals() : nil }
  }

  /// Adds what the tile's hidden layers have. Local.
  mutating func endTile() {
    for l in layers.indices {
      guard let layer = layers[l] else { continue }
      sums.add(layer.outputs, to: 4 * l + 4)
      sums.add(layer.outputNorm, to: 4 * l + 5)
      sums.add(layer.activations, to: 4 * l + 6)
      sums.add(layer.activationNorm, to: 4 * l + 7)
    }
  }

  /// Adds what the tile's last layer has, if anybody asks. Local.
  mutating func addLastLayer(
    _ loss: Loss, z: Tile<Float>, m: Tile<Float>, y: Tile<Float>, lambda: Tile<Float>
  ) {
    guard isOn else { return }
    sums.add(loss.value(z, y: y), to: 0)
    var (product, distance, norm) = (0.0, 0.0, 0.0)
    for j in 0..<z.columns {
      let (z, m, lambda) = (z.column(j), m.column(j), lambda.column(j))
      for i in 0..<y.rows {
        product += Double(z[i]) * Double(lambda[i])
        let difference = Double(z[i]) - Double(m[i])
        distance += difference * difference
        norm += Double(z[i]) * Double(z[i])
        largestMultiplier = max(largestMultiplier, abs(lambda[i]))
      }
    }
    sums.add(product, to: 1)
    sums.add(distance, to: 2)
    sums.add(norm, to: 3)
  }

  /// Adds what another thread has measured. Local.
  mutating func add(_ other: TaylorMeasures) {
    sums.add(other.sums)
    largestMultiplier = max(largestMultiplier, other.largestMultiplier)
  }

  /// Replaces the sums by their totals. Collective; one small reduction.
  mutating func reduce(over ranks: borrowing Communicator) throws { try sums.reduce(over: ranks) }
}

extension Taylor {
  /// Begins to measure on all threads, or leaves it. Local.
  func beginMeasuring(_ isOn: Bool) {
    for room in rooms { room.measures.begin(isOn) }
  }

  /// The objective (O), its terms and its residuals after the last sweep, which was measured. Collective; two small
  /// reductions. The same bits for any number of ranks.
  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    precondition(rooms[0].measures.isOn, "the last sweep was not measured")
    var measures = rooms[0].measures
    for room in rooms.dropFirst() { measures.add(room.measures) }
    try measures.reduce(over: ranks)
    let sums = measures.sums
    // ℓ(z_L, y) + ⟨z_L, λ⟩ + Σ β_l ‖z_l − W_l a_{l−1}‖² + Σ γ_l ‖a_l − h(z_l)‖²
    var objective = sums[0] + sums[1] + Double(beta[L - 1]) * sums[2]
    var hidden = (distance: 0.0, norm: 0.0)
    var active = (distance: 0.0, norm: 0.0)
    for l in 1..<L {
      objective += Double(beta[l - 1]) * sums[4 * l] + Double(gamma[l - 1]) * sums[4 * l + 2]
      hidden = (hidden.distance + sums[4 * l], hidden.norm + sums[4 * l + 1])
      active = (active.distance + sums[4 * l + 2], active.norm + sums[4 * l + 3])
    }
    var progress = SweepProgress(objective: objective)
    progress.loss = sums[0]
    if L > 1 {
      progress.outputResidual = ratio(hidden.distance, hidden.norm)
      progress.activationResidual = ratio(active.distance, active.norm)
    }
    progress.lastOutputResidual = ratio(sums[2], sums[3])
    let largest = try ranks.max(measures.largestMultiplier)
    if settings.hasMultiplier { progress.largestMultiplier = Double(largest) }
    return progress
  }
}

private func ratio(_ distance: Double, _ norm: Double) -> Double {
  norm > 0 ? (distance / norm).squareRoot() : 0
}
