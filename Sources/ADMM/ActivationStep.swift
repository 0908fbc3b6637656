import LinearAlgebra

/// a_l ← (β VᵀV + γ I)⁻¹ (β Vᵀ (z_{l+1} − b) + γ h(z_l)), W_{l+1} = [V b], made ready for many tiles.
///
/// With r = γ/β it is h + Vᵀ (V Vᵀ + r I)⁻¹ (z_{l+1} − b − V h) by the push-through identity. The smaller of the two systems
/// is solved, once a sweep: algorithm.md §3; Taylor et al. (2016), eq. 5.
struct ActivationStep: ~Copyable {
  /// d_{l+1} ≤ d_l: Vᵀ (V Vᵀ + r I)⁻¹, else (VᵀV + r I)⁻¹ Vᵀ. The two are equal; d_l × d_{l+1}.
  private let ofOutputs: Matrix<Float>
  /// d_{l+1} > d_l: r (VᵀV + r I)⁻¹, d_l × d_l; else empty.
  private let ofActivations: Matrix<Float>
  private let isWide: Bool

  /// - Parameters:
  ///   - outputs: d_{l+1}.
  ///   - activations: d_l.
  init(from outputs: Int, to activations: Int) {
    ofOutputs = Matrix(rows: activations, columns: outputs)
    isWide = outputs > activations
    ofActivations = Matrix(rows: isWide ? activations : 0, columns: isWide ? activations : 0)
  }

  /// How many floating-point operations `apply` needs a sample.
  static func flops(from outputs: Int, to activations: Int) -> Int {
    outputs > activations ? 2 * activations * (outputs + activations) : 4 * outputs * activations
  }

  /// Solves the system for new weights. Local, the same on every rank.
  ///
  /// - Parameters:
  ///   - V: d_{l+1} × d_l, W_{l+1} without its bias column.
  ///   - r: γ_l / β_{l+1} > 0.
  func prepare(V: Tile<Float>, r: Double) throws {
    let (rows, columns) = (V.rows, V.columns)
    let wide = Matrix<Double>(rows: rows, columns: columns)
    for j in 0..<columns {
      for i in 0..<rows { wide[i, j] = Double(V.column(j)[i]) }
    }
    let G = Matrix<Double>(rows: isWide ? columns : rows, columns: isWide ? columns : rows)
    multiply(
      G.all, wide.all, wide.all, transposeA: isWide ? .transposed : .none,
      transposeB: isWide ? .none : .transposed)
    let inverse = try Cholesky(of: G, ridge: r).inverse()
    let step = Matrix<Double>(rows: columns, columns: rows)
    if isWide {
      multiply(step.all, inverse.all, wide.all, transposeB: .transposed)
    } else {
      multiply(step.all, wide.all, inverse.all, transposeA: .transposed)
    }
    for k in 0..<step.count { ofOutputs.base[k] = Float(step.base[k]) }
    if isWide {
      for k in 0..<inverse.count { ofActivations.base[k] = Float(r * inverse.base[k]) }
    }
  }

  /// Replaces h(z_l) by the new a_l. Local; `flops` a sample.
  ///
  /// - Parameters:
  ///   - a: (d_l + 1) × n. Holds h(z_l) over a row of ones on entry, a_l over a row of ones on return.
  ///   - z: d_{l+1} × n, the outputs z_{l+1}.
  ///   - W: W_{l+1}, without its bias column where there is no bias.
  ///   - work: d_{l+1} × n, or d_l × n if that is more, to work with.
  func apply(_ a: Tile<Float>, z: Tile<Float>, W: Tile<Float>, work: Tile<Float>) {
    let d = ofOutputs.rows
    let active = a.rows(0..<d)
    let residual = work.rows(0..<z.rows)
    if isWide {
      // a ← (VᵀV + rI)⁻¹ (Vᵀ (z − b) + r h): the part of h needs its own room.
      let h = work.rows(0..<d)
      copy(h, active)
      multiply(active, ofActivations.all, h)
      let b = W.columns > d ? W.column(d) : nil
      subtract(residual, z, b)
      multiply(active, ofOutputs.all, residual, beta: 1)
    } else {
      // a ← h + Vᵀ (V Vᵀ + rI)⁻¹ (z − b − V h)
      copy(residual, z)
      multiply(residual, W, a.rows(0..<W.columns), alpha: -1, beta: 1)
      multiply(active, ofOutputs.all, residual, beta: 1)
    }
  }
}

/// out ← x.
private func copy(_ out: Tile<Float>, _ x: Tile<Float>) {
  for j in 0..<x.columns { out.column(j).update(from: x.column(j), count: x.rows) }
}

/// out ← x − b in every column; b = nil stands for 0.
private func subtract(_ out: Tile<Float>, _ x: Tile<Float>, _ b: UnsafeMutablePointer<Float>?) {
  guard let b else { return copy(out, x) }
  for j in 0..<x.columns {
    let (to, from) = (out.column(j), x.column(j))
    for i in 0..<x.rows { to[i] = from[i] - b[i] }
  }
}
