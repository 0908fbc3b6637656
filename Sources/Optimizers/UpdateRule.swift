import LinearAlgebra
import Networks

/// Algorithm 1's own updates as a rule of the way back, from a point where all constraints hold: no derivative of
/// the loss.
///
///     δ_L = z_L − argmin_z [ℓ(z, y) + β ‖z − z_L‖²]                    minus what the update of z_L adds
///     δ_{l−1} = h'(z_{l−1}) ∘ V_lᵀ (V_l V_lᵀ + r I)⁻¹ δ_l              the a-update, then the z-update to first order
///
/// docs/accelerated.md derives it.
package final class UpdateRule: BackwardRule {
  private let beta: Float
  private let r: Double
  private var inverses: RightInverses
  /// One a thread.
  private let lastSteps: [LossStep]

  /// - Parameters:
  ///   - beta: β of the update of z_L.
  ///   - r: γ/β of the a-update.
  package init(_ network: Network, beta: Float, r: Double, threads: Int) {
    self.beta = beta
    self.r = r
    inverses = RightInverses(network)
    lastSteps = (0..<threads).map { _ in LossStep(network) }
  }

  package func backward(_ l: Int, V: Tile<Float>) throws -> BackwardMatrix {
    .matrix(try inverses.take(l, V: V, r: r))
  }

  package func setLastDelta(_ tile: PassTile) -> Double {
    let delta = tile.delta(tile.network.L)
    let value = tile.network.loss.value(Tile(delta), y: tile.y)
    let z = lastSteps[tile.thread].minimise(m: Tile(delta), y: tile.y, beta: beta)
    for j in 0..<delta.columns {
      let (to, from) = (delta.column(j), z.column(j))
      for i in 0..<delta.rows { to[i] -= from[i] }
    }
    return value
  }
}
