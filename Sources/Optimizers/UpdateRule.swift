import Basics
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
  /// l = 2 … L, and V_lᵀ (V_l V_lᵀ + r I)⁻¹ in single precision.
  private var inverses: Layers<RightInverse>
  private var matrices: Layers<Matrix<Float>>
  /// A thread's z_L, a λ of zeros, and scratch.
  private let z, lambda: OwnedArray<Matrix<Float>>
  private let scratch: OwnedArray<Matrix<Double>>

  /// - Parameters:
  ///   - beta: β of the update of z_L.
  ///   - r: γ/β of the a-update.
  package init(_ network: Network, beta: Float, r: Double, threads: Int, columns: Int = 64) {
    let (L, d) = (network.L, network.widths)
    self.beta = beta
    self.r = r
    inverses = Layers(2..<max(L + 1, 2)) { l in RightInverse(outputs: d[l], activations: d[l - 1]) }
    matrices = Layers(2..<max(L + 1, 2)) { l in Matrix(rows: d[l - 1], columns: d[l]) }
    z = OwnedArray(0..<threads) { _ in Matrix(rows: d[L], columns: columns) }
    lambda = OwnedArray(0..<threads) { _ in Matrix(rows: d[L], columns: columns) }
    scratch = OwnedArray(0..<threads) { _ in Matrix(rows: 4 * d[L], columns: 1) }
  }

  package func backward(_ l: Int, V: Tile<Float>) throws -> BackwardMatrix {
    .matrix(try inverses[l].take(V, r: r, layer: l, into: &matrices[l]))
  }

  package func setLastDelta(_ tile: PassTile) -> Double {
    let (network, n, thread) = (tile.network, tile.columns.count, tile.thread)
    let delta = tile.delta(network.L)
    let value = network.loss.value(Tile(delta), y: tile.y)
    let z = z[thread].shared.columns(0..<n)
    network.loss.minimise(
      z, m: Tile(delta), y: tile.y, lambda: lambda[thread].columns(0..<n), beta: beta,
      scratch: scratch[thread].shared.elements)
    for j in 0..<n {
      let (to, from) = (delta.column(j), z.column(j))
      for i in 0..<delta.rows { to[i] -= from[i] }
    }
    return value
  }
}
