import LinearAlgebra
import MPI
import Networks

/// The objective (O) and how well its constraints hold.
public struct Objective: Sendable {
  /// ℓ(z_L, y) + ⟨z_L, λ⟩ + Σ β_l ‖z_l − W_l a_{l−1}‖² + Σ γ_l ‖a_l − h(z_l)‖², summed over samples.
  public var value = 0.0
  /// ℓ(z_L, y), summed over samples.
  public var loss = 0.0
  /// ‖z_l − W_l a_{l−1}‖ / ‖z_l‖ over the hidden layers together.
  public var outputResidual = 0.0
  /// ‖z_L − W_L a_{L−1}‖ / ‖z_L‖.
  public var lastOutputResidual = 0.0
  /// ‖a_l − h(z_l)‖ / ‖a_l‖ over the hidden layers together.
  public var activationResidual = 0.0
  /// ‖λ‖∞.
  public var largestMultiplier = 0.0

  /// Loss, ⟨z_L, λ⟩, ‖z_L − W_L a_{L−1}‖², ‖z_L‖², then for each hidden layer what `LayerResiduals` holds.
  static func sumCount(_ L: Int) -> Int { 4 * L }
}

extension Workspace {
  /// Begins to measure, or leaves it. Local.
  func beginMeasuring(_ isMeasuring: Bool) {
    self.isMeasuring = isMeasuring
    measured.clear()
    largestMultiplier = 0
  }

  func beginTile() {
    for l in residuals.indices { residuals[l] = isMeasuring ? LayerResiduals() : nil }
  }

  /// Adds what the tile's hidden layers have to the sums. Local.
  func endTile() {
    for l in residuals.indices {
      guard let layer = residuals[l] else { continue }
      measured.add(layer.outputs, to: 4 * l + 4)
      measured.add(layer.outputNorm, to: 4 * l + 5)
      measured.add(layer.activations, to: 4 * l + 6)
      measured.add(layer.activationNorm, to: 4 * l + 7)
    }
  }

  /// Adds what the tile's last layer has to the sums, if they are taken. Local.
  func measureLastLayer(_ loss: Loss, z: Tile<Float>, m: Tile<Float>, y: Tile<Float>, lambda: Tile<Float>) {
    guard isMeasuring else { return }
    measured.add(loss.value(z, y: y), to: 0)
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
    measured.add(product, to: 1)
    measured.add(distance, to: 2)
    measured.add(norm, to: 3)
  }
}

extension Taylor {
  /// Begins to measure on all threads, or leaves it. Local.
  func beginMeasuring(_ isMeasuring: Bool) {
    for workspace in workspaces { workspace.beginMeasuring(isMeasuring) }
  }

  /// The objective after the last sweep, which was measured. Collective; two small reductions. The same bits for any number of ranks.
  public func objective(over ranks: borrowing Communicator) throws -> Objective {
    precondition(workspaces[0].isMeasuring, "the last sweep was not measured")
    var sums = workspaces[0].measured
    var largest = workspaces[0].largestMultiplier
    for other in workspaces.dropFirst() {
      sums.add(other.measured)
      largest = max(largest, other.largestMultiplier)
    }
    try sums.reduce(over: ranks)
    var result = Objective()
    result.loss = sums[0]
    result.value = sums[0] + sums[1] + Double(settings.beta[L - 1]) * sums[2]
    result.lastOutputResidual = ratio(sums[2], sums[3])
    var hidden = (distance: 0.0, norm: 0.0)
    var active = (distance: 0.0, norm: 0.0)
    for l in 1..<L {
      result.value +=
        Double(settings.beta[l - 1]) * sums[4 * l] + Double(settings.gamma[l - 1]) * sums[4 * l + 2]
      hidden = (hidden.distance + sums[4 * l], hidden.norm + sums[4 * l + 1])
      active = (active.distance + sums[4 * l + 2], active.norm + sums[4 * l + 3])
    }
    result.outputResidual = ratio(hidden.distance, hidden.norm)
    result.activationResidual = ratio(active.distance, active.norm)
    result.largestMultiplier = Double(try ranks.max(largest))
    return result
  }
}

extension Taylor {
  public func progress(over ranks: borrowing Communicator) throws -> SweepProgress {
    let objective = try objective(over: ranks)
    var progress = SweepProgress(objective: objective.value)
    progress.loss = objective.loss
    if L > 1 {
      progress.outputResidual = objective.outputResidual
      progress.activationResidual = objective.activationResidual
    }
    progress.lastOutputResidual = objective.lastOutputResidual
    if settings.hasMultiplier { progress.largestMultiplier = objective.largestMultiplier }
    return progress
  }

  public func withWeights<Result: ~Copyable>(
    _ body: (borrowing Layers<Matrix<Float>>) throws -> Result
  ) rethrows -> Result { try body(W) }
}

private func ratio(_ distance: Double, _ norm: Double) -> Double {
  norm > 0 ? (distance / norm).squareRoot() : 0
}
