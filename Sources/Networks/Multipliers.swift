import LinearAlgebra
import MPI

/// A multiplier on every constraint, in scaled form: u_l for z_l = W_l a_{l−1}, v_l for a_l = h(z_l).
///
/// Boyd et al., "Distributed Optimization and Statistical Learning via ADMM" (2011), §3.1.1. With β_l the penalty of both constraints of a layer,
/// 2 β_l u_l is the Lagrange multiplier of z_l, λ for l = L; when a penalty changes, its u and v shrink by the same factor.
package final class Multipliers {
  private let network: Network
  /// u_l, d_l × n, l = 1 … L, padded; this rank's samples.
  let u: Layers<Matrix<Float>>
  /// v_l over a row of zeros, l = 1 … L−1, padded, so that W_{l+1} multiplies it without the bias.
  let v: Layers<Matrix<Float>>
  /// β_l, l = 1 … L; γ_l = β_l. The first entry has no meaning.
  package private(set) var beta: [Double]
  /// What u_l and v_l are still to be multiplied by, since β_l changed.
  private var factors: [Float]

  init(_ network: Network, samples: Int) {
    let (L, d) = (network.L, network.widths)
    self.network = network
    u = Layers(1..<L + 1) { l in
      Matrix(rows: l < L ? paddedRows(d[l]) : Self.rows(d[l]), columns: samples)
    }
    v = Layers(1..<L) { l in Matrix(rows: paddedRows(d[l] + 1), columns: samples) }
    beta = [Double](repeating: 1, count: L + 1)
    factors = [Float](repeating: 1, count: L + 1)
  }

  /// How many rows the last layer's arrays have: few outputs lie in one piece.
  static func rows(_ d: Int) -> Int { d < Panels.fewRows ? d : paddedRows(d) }

  /// The bytes for so many samples.
  package static func bytes(_ network: Network, samples: Int) -> Int {
    let (L, d) = (network.L, network.widths)
    let numbers = (1..<L).reduce(rows(d[L])) { $0 + paddedRows(d[$1]) + paddedRows(d[$1] + 1) }
    return MemoryLayout<Float>.size * numbers * samples
  }

  /// Sets the penalties of the next pass. Local, the same on every rank.
  package func setPenalties(_ new: [Double]) {
    for l in 1...network.L {
      factors[l] = Float(beta[l] / new[l])
      beta[l] = new[l]
    }
  }

  /// To be called when all of a pass's multipliers are on the scale of their penalties. Local.
  func forgetFactors() {
    for l in factors.indices { factors[l] = 1 }
  }

  /// All that is kept of a tile, for `restore`. Local; allocates.
  func numbers(_ columns: Range<Int>) -> [Float] {
    var numbers: [Float] = []
    forEachPiece(columns) { numbers += UnsafeBufferPointer($0) }
    return numbers
  }

  /// Puts back what `numbers` gave. Local.
  func restore(_ columns: Range<Int>, _ numbers: [Float]) {
    var rest = numbers[...]
    forEachPiece(columns) { piece in
      _ = piece.update(fromContentsOf: rest.prefix(piece.count))
      rest = rest.dropFirst(piece.count)
    }
  }

  /// Columns of u_1 … u_L and v_1 … v_{L−1}, padding included.
  private func forEachPiece(_ columns: Range<Int>, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    func visit(_ x: borrowing Matrix<Float>) {
      body(
        UnsafeMutableBufferPointer(start: x.base + columns.lowerBound * x.rows, count: columns.count * x.rows)
      )
    }
    for l in 1...network.L { visit(u[l]) }
    for l in 1..<network.L { visit(v[l]) }
  }

  /// u_L and δ_L of a tile. Local.
  ///
  ///     z_L ← argmin_z ℓ(z, y) + β_L ‖z − (m_L − u_L)‖²,   u_L ← u_L + z_L − m_L,   δ_L = z_L + u_L − m_L
  ///
  /// - Parameters:
  ///   - delta: d_L × n; m_L = W_L a_{L−1} on entry, δ_L on return.
  ///   - z: room for d_L × n numbers, in one piece.
  ///   - center: the same.
  ///   - zeros: the same, zero.
  func updateLast(
    _ delta: Tile<Float>, _ columns: Range<Int>, y: Tile<Float>, _ loss: Loss, z: Tile<Float>,
    center: Tile<Float>, zeros: Tile<Float>, scratch: UnsafeMutableBufferPointer<Double>
  ) {
    let L = network.L
    let (u, factor) = (u[L].columns(columns).rows(0..<delta.rows), factors[L])
    for j in 0..<delta.columns {
      let (to, m, u) = (center.column(j), delta.column(j), u.column(j))
      for i in 0..<delta.rows { to[i] = m[i] - factor * u[i] }
    }
    loss.minimise(z, m: center, y: y, lambda: zeros, beta: Float(beta[L]), scratch: scratch)
    for j in 0..<delta.columns {
      let (m, z, u) = (delta.column(j), z.column(j), u.column(j))
      for i in 0..<delta.rows {
        let new = factor * u[i] + (z[i] - m[i])
        u[i] = new
        m[i] = z[i] + new - m[i]
      }
    }
  }

  /// v_l, u_l and δ_l of a tile, l < L, with the a_l and z_l in between. Local.
  ///
  ///     a_l ← t + Vᵀ (V Vᵀ + r I)⁻¹ (z_{l+1} + u_{l+1} − b − V t),   t = h(m_l) − v_l,   W_{l+1} = [V b],   r = γ_l / β_{l+1}
  ///     v_l ← v_l + a_l − h(m_l)
  ///     z_l ← argmin_z γ_l ‖a_l + v_l − h(z)‖² + β_l ‖z − (m_l − u_l)‖²
  ///     u_l ← u_l + z_l − m_l,   δ_l = z_l + u_l − m_l
  ///
  /// In terms of δ_{l+1} the new v_l is Vᵀ (V Vᵀ + r I)⁻¹ (δ_{l+1} + V v_l).
  ///
  /// - Parameters:
  ///   - delta: d_l × n, padded; the new v_l on entry, δ_l on return.
  ///   - m: d_l × n, W_l a_{l−1}.
  /// - Returns: ‖a_l − h(m_l)‖² and ‖h(m_l)‖².
  func updateHidden(
    _ l: Int, _ delta: Tile<Float>, _ columns: Range<Int>, m: Tile<Float>, _ activation: Activation
  ) -> (residual: Double, norm: Double) {
    activation.update(delta, m, u[l].columns(columns), v[l].columns(columns), factor: factors[l])
  }

  /// v_l of a tile over its row of zeros, on the scale of β_l. Local.
  func scaled(_ l: Int, _ columns: Range<Int>) -> Tile<Float> {
    let v = v[l].columns(columns).rows(0..<network.inputs(l + 1))
    if factors[l] != 1 {
      let factor = Lanes(repeating: factors[l])
      for j in 0..<v.columns {
        for i in stride(from: 0, to: v.rows, by: laneCount) {
          (factor * Lanes(at: v.column(j) + i)).store(at: v.column(j) + i)
        }
      }
    }
    return v
  }
}

extension Activation {
  fileprivate func update(
    _ delta: Tile<Float>, _ m: Tile<Float>, _ u: Tile<Float>, _ v: Tile<Float>, factor: Float
  ) -> (residual: Double, norm: Double) {
    checkPadding(delta)
    checkPadding(u)
    checkPadding(v)
    if self == .relu {
      return ReLUStep(beta: 1, gamma: 1).update(delta, m, u, v, factor: Lanes(repeating: factor))
    }
    return PiecewiseStep(self, beta: 1, gamma: 1).update(delta, m, u, v, factor: Lanes(repeating: factor))
  }
}

extension EntryStep {
  /// `Multipliers.updateHidden`; v is on the scale of β_l already, u is not yet.
  fileprivate func update(
    _ delta: Tile<Float>, _ m: Tile<Float>, _ u: Tile<Float>, _ v: Tile<Float>, factor: Lanes
  ) -> (residual: Double, norm: Double) {
    var (residuals, norms) = (Lanes.zero, Lanes.zero)
    let rows = delta.rows
    for j in 0..<delta.columns {
      let (delta, m, u, v) = (delta.column(j), m.column(j), u.column(j), v.column(j))
      for i in stride(from: 0, to: rows, by: laneCount) {
        let count = rows - i
        let (output, oldU, oldV) = (Lanes(at: m + i), factor * Lanes(at: u + i), Lanes(at: v + i))
        // Below the last row of v stand zeros, which W_{l+1} multiplies.
        let newV = Lanes(at: delta + i).first(count)
        let active = h(output)
        // a + v = h(m) − (old v) + 2 (new v)
        let z = best(active + (newV + newV - oldV), output - oldU)
        let newU = oldU + (z - output)
        newV.store(at: v + i)
        newU.store(at: u + i)
        (z + newU - output).store(at: delta + i)
        let residual = (newV - oldV).first(count)
        let known = active.first(count)
        residuals = .multiplyAdd(residual, residual, residuals)
        norms = .multiplyAdd(known, known, norms)
      }
    }
    return (Double(residuals.total), Double(norms.total))
  }
}
