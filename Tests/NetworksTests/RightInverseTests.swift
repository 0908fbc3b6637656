import Basics
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Vᵀ (V Vᵀ + r I)⁻¹ against elimination in double precision, on the outputs' side whichever side is solved.
@Suite struct RightInverseTests {
  private static let shapes = [(1, 5), (5, 1), (4, 4), (7, 3), (3, 7), (20, 33), (33, 20)]

  private func weights(_ outputs: Int, _ activations: Int, seed: UInt64) -> Matrix<Float> {
    var random = SeededGenerator(seed: seed)
    return Matrix(rows: outputs, columns: activations) { _, _ in Float(random.normal()) }
  }

  /// With W_2 of that shape.
  private func network(_ outputs: Int, _ activations: Int) -> Network {
    Network(widths: [1, activations, outputs], activation: .relu, loss: .square, bias: true)
  }

  private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

  @Test(arguments: shapes, [1e-3, 0.1, 10])
  func equalsThePlainSolution(shape: (Int, Int), r: Double) throws {
    let (outputs, activations) = shape
    let V = weights(outputs, activations, seed: 71)
    let rows = V.all.nested.map { $0.map(Double.init) }
    let system = rows.indices.map { i in rows.indices.map { dot(rows[i], rows[$0]) + (i == $0 ? r : 0) } }
    // Row j of Vᵀ (V Vᵀ + r I)⁻¹ is the solution for column j of V.
    let expected = (0..<activations).map { j in plainSolve(system, rows.map { $0[j] }) }
    var right = RightInverse(outputs: outputs, activations: activations)
    try right.take(V.all, r: r)
    let distance = relativeDistance(right.matrix.all.nested, expected)
    #expect(distance < 1e-9, "off by \(distance)")
    // The inverse that came with it, of the smaller system: times the system it is I.
    let size = min(outputs, activations)
    let columns = (0..<activations).map { j in rows.map { $0[j] } }
    let smaller = outputs > activations ? columns : rows
    let inverse = right.inverse.all.nested
    #expect(inverse.count == size)
    for i in 0..<size {
      for j in 0..<size {
        let product = (0..<size).reduce(0) { sum, k in
          sum + inverse[i][k] * (dot(smaller[k], smaller[j]) + (k == j ? r : 0))
        }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-9, "(\(i), \(j))")
      }
    }
  }

  /// What it held before does not matter, and in single precision it is the same, rounded.
  @Test(arguments: shapes) func newWeightsReplaceTheFormer(outputs: Int, activations: Int) throws {
    let former = weights(outputs, activations, seed: 72)
    let V = weights(outputs, activations, seed: 73)
    var used = RightInverse(outputs: outputs, activations: activations)
    var fresh = RightInverse(outputs: outputs, activations: activations)
    try used.take(former.all, r: 3)
    try used.take(V.all, r: 0.2)
    try fresh.take(V.all, r: 0.2)
    #expect(used.matrix.all.nested == fresh.matrix.all.nested)
    var layers = RightInverses(network(outputs, activations))
    _ = try layers.take(2, V: former.all, r: 3)
    let rounded = try layers.take(2, V: V.all, r: 0.2).nested
    #expect(rounded == fresh.matrix.all.nested.map { $0.map { Float($0) } })
  }

  @Test(arguments: [Float.nan, .infinity]) func weightsThatAreNotFiniteAreAnError(value: Float) {
    var V = weights(3, 5, seed: 74)
    V[1, 2] = value
    var right = RightInverse(outputs: 3, activations: 5)
    var layers = RightInverses(network(3, 5))
    #expect(throws: LAPACKError.self) { try right.take(V.all, r: 0.1) }
    do {
      _ = try layers.take(2, V: V.all, r: 0.1)
      Issue.record("a system with \(value) was solved")
    } catch NumericalError.unsolvable(let system, let reason) {
      #expect(system == "δ_1" && !reason.isEmpty)
    } catch {
      Issue.record("\(error)")
    }
  }
}
