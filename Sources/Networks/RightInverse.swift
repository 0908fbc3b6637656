import Basics
import LinearAlgebra

/// Vᵀ (V Vᵀ + r I)⁻¹ for weights V without their bias: what an update of activations multiplies an error of the next
/// layer's outputs by.
///
/// (VᵀV + r I)⁻¹ Vᵀ is the same matrix by the push-through identity: the smaller of the two systems is solved.
/// algorithm.md §3.
package struct RightInverse: ~Copyable {
  /// Vᵀ (V Vᵀ + r I)⁻¹, d_l × d_{l+1}.
  package private(set) var matrix: Matrix<Double>
  /// (V Vᵀ + r I)⁻¹ or (VᵀV + r I)⁻¹, whichever is the smaller; the former where they are of a size.
  package private(set) var inverse: Matrix<Double>
  private var V, gram: Matrix<Double>
  private var factor: Cholesky<Double>
  /// Whether V has more rows than columns.
  private let isTall: Bool

  /// Room for a V of `outputs` × `activations`.
  package init(outputs: Int, activations: Int) {
    let size = min(outputs, activations)
    isTall = outputs > activations
    V = Matrix(rows: outputs, columns: activations)
    gram = Matrix(rows: size, columns: size)
    inverse = Matrix(rows: size, columns: size)
    matrix = Matrix(rows: activations, columns: outputs)
    factor = Cholesky(size: size)
  }

  /// Takes new weights. Local, the same on every rank; no allocation.
  ///
  /// - Parameter r: above 0.
  /// - Throws: `LAPACKError` where V is not finite.
  package mutating func take(_ V: Tile<Float>, r: Double) throws {
    precondition(V.rows == self.V.rows && V.columns == self.V.columns, "\(V.rows) × \(V.columns) weights")
    for j in 0..<V.columns {
      for i in 0..<V.rows { self.V[i, j] = Double(V.column(j)[i]) }
    }
    multiply(
      gram.mutableAll, self.V.all, self.V.all, transposeA: isTall ? .transposed : .none,
      transposeB: isTall ? .none : .transposed)
    try factor.factor(gram.all, ridge: r)
    factor.invert(into: &inverse)
    if isTall {
      multiply(matrix.mutableAll, inverse.all, self.V.all, transposeB: .transposed)
    } else {
      multiply(matrix.mutableAll, self.V.all, inverse.all, transposeA: .transposed)
    }
  }
}

/// V_lᵀ (V_l V_lᵀ + r I)⁻¹ of the layers l = 2 … L in single precision: what a rule of the way back that updates
/// activations multiplies an error by.
package struct RightInverses: ~Copyable {
  private var inverses: Layers<RightInverse>
  private var rounded: Layers<Matrix<Float>>

  package init(_ network: Network) {
    let (layers, d) = (2..<max(network.L + 1, 2), network.widths)
    inverses = Layers(layers) { l in RightInverse(outputs: d[l], activations: d[l - 1]) }
    rounded = Layers(layers) { l in Matrix(rows: d[l - 1], columns: d[l]) }
  }

  /// That of V_l, d_{l−1} × d_l. Local, the same on every rank; valid until the layer's next call.
  ///
  /// - Parameter r: above 0.
  /// - Throws: `NumericalError.unsolvable`, which names the layer.
  package mutating func take(_ l: Int, V: Tile<Float>, r: Double) throws -> Tile<Float> {
    do { try inverses[l].take(V, r: r) } catch {
      throw NumericalError.unsolvable(system: "δ_\(l - 1)", reason: "\(error)")
    }
    let (to, from, count) = (rounded[l].mutableBase, inverses[l].matrix.base, rounded[l].count)
    for k in 0..<count { to[k] = Float(from[k]) }
    return rounded[l].all
  }
}
