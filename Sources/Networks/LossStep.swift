import LinearAlgebra

/// The update of z_L without a λ, as a rule of the way back needs it; with the room for a tile. One a thread.
package final class LossStep {
  private let loss: Loss
  private var z: Matrix<Float>
  /// Zeros.
  private let lambda: Matrix<Float>
  private var scratch: Matrix<Double>

  package init(_ network: Network) {
    let d = network.widths[network.L]
    loss = network.loss
    z = Matrix(rows: d, columns: PassTile.mostColumns)
    lambda = Matrix(rows: d, columns: PassTile.mostColumns)
    scratch = Matrix(rows: 4 * d, columns: 1)
  }

  /// argmin_z ℓ(z, y) + β ‖z − m‖², d_L × n. Local; valid until the next call.
  package func minimise(m: Tile<Float>, y: Tile<Float>, beta: Float) -> Tile<Float> {
    let z = z.mutableColumns(0..<m.columns)
    loss.minimise(
      z, m: m, y: y, lambda: lambda.columns(0..<m.columns), beta: beta, scratch: scratch.mutableElements)
    return Tile(z)
  }
}
