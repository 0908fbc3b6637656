import LinearAlgebra
import TestSupport
import Testing

@Suite struct CholeskyTests {
  /// ‖X (G + ρI) − B‖ ≤ 100 ε d ‖X‖ ‖G + ρI‖. Only the upper triangle of G may be read.
  @Test(arguments: [1, 2, 3, 10, 65, 150], [0, 1e-3, 10])
  func solvesAreExactToRounding(d: Int, ridge: Double) throws {
    let G = positiveDefinite(d, seed: 1)
    let upper = Matrix<Double>(rows: d, columns: d) { i, j in i > j ? .nan : G[i, j] }
    for m in [0, 1, 7] {
      var random = SeededGenerator(seed: UInt64(m))
      let B = Matrix<Double>(rows: m, columns: d) { _, _ in random.normal() }
      // X sits in a larger matrix, so that its stride is not its number of rows.
      var memory = Matrix<Double>(rows: m + 2, columns: d) { i, j in i < m ? B[i, j] : 99 }
      try factored(upper.all, ridge: ridge).solveFromRight(memory.mutableRows(0..<m))
      expectSolution(memory.rows(0..<m), G, ridge, B)
      for j in 0..<d { #expect(memory[m, j] == 99 && memory[m + 1, j] == 99, "beyond the tile") }
    }
    #expect(upper[0, 0] == G[0, 0], "G itself is untouched")
  }

  @Test(arguments: [1, 4, 40])
  func inverse(d: Int) throws {
    let G = positiveDefinite(d, seed: 2)
    let identity = Matrix<Double>(rows: d, columns: d) { i, j in i == j ? 1 : 0 }
    let inverse = inverted(try factored(G.all, ridge: 0.25), size: d)
    expectSolution(inverse.all, G, 0.25, identity)
  }

  /// One row, whose entries lie apart, in single precision as well: as far from the solution as rounding.
  @Test(arguments: [1, 4, 40]) func oneRow(d: Int) throws {
    let G = positiveDefinite(d, seed: 3)
    var random = SeededGenerator(seed: 4)
    let B = Matrix<Double>(rows: 1, columns: d) { _, _ in random.normal() }
    var X = Matrix<Double>(rows: 3, columns: d) { i, j in i == 1 ? B[0, j] : 99 }
    try factored(G.all, ridge: 0.25).solveFromRight(X.mutableBase + 1, stride: 3)
    expectSolution(X.rows(1..<2), G, 0.25, B)
    for j in 0..<d { #expect(X[0, j] == 99 && X[2, j] == 99, "beyond the row") }
    let single = Matrix<Float>(rows: d, columns: d) { i, j in Float(G[i, j]) }
    var x = Matrix<Float>(rows: d, columns: 1) { i, _ in Float(B[0, i]) }
    let factor = try factored(single.all, ridge: 0.25)
    factor.solveFromRight(x.mutableBase, stride: 1)
    let inverse = inverted(factor, size: d)
    for i in 0..<d {
      #expect(abs(Double(x[i, 0]) - X[1, i]) < 1e-4)
      let product = (0..<d).reduce(0) { $0 + Double(inverse[i, $1]) * B[0, $1] }
      #expect(abs(product - X[1, i]) < 1e-4)
    }
  }

  @Test func aSystemOfSizeZero() throws {
    let nothing = Matrix<Double>(rows: 0, columns: 0)
    var X = Matrix<Double>(rows: 3, columns: 0)
    let factor = try factored(nothing.all)
    factor.solveFromRight(X.mutableAll)
    let inverse = inverted(factor, size: 0)
    #expect(inverse.rows == 0 && inverse.columns == 0)
  }

  private func expectSolution(
    _ X: Tile<Double>, _ G: borrowing Matrix<Double>, _ ridge: Double, _ B: borrowing Matrix<Double>
  ) {
    let d = G.rows
    let system = Matrix<Double>(rows: d, columns: d) { i, j in G[i, j] + (i == j ? ridge : 0) }
    var residual = B.copy()
    multiply(residual.mutableAll, X, system.all, beta: -1)
    let bound = 100 * Double.ulpOfOne * Double(d) * frobeniusNorm(X) * frobeniusNorm(system.all)
    let size = frobeniusNorm(residual.all)
    #expect(size <= bound, "residual \(size), bound \(bound), d \(d), ridge \(ridge)")
  }

  /// A Aᵀ of d × 2d normal numbers.
  private func positiveDefinite(_ d: Int, seed: UInt64) -> Matrix<Double> {
    var random = SeededGenerator(seed: seed)
    let A = Matrix<Double>(rows: d, columns: 2 * d) { _, _ in random.normal() }
    var G = Matrix<Double>(rows: d, columns: d)
    multiply(G.mutableAll, A.all, A.all, transposeB: .transposed)
    return G
  }

  // MARK: What has no factor

  /// Symmetric 3 × 3 matrices from their upper triangle, and why each has no factor.
  @Test(
    arguments: [
      ("indefinite", [1, 2, 0, 1, 0, 1]), ("negative", [-1, 0, 0, -1, 0, -1]), ("zero", [0, 0, 0, 0, 0, 0]),
      ("a dead unit: a row of zeros", [2, 0, 1, 0, 0, 2]), ("two equal rows", [1, 1, 0.5, 1, 0.5, 1]),
      ("third = first + second", [1, 0, 1, 1, 1, 2]), ("NaN on the diagonal", [1, 0, 0, .nan, 0, 1]),
      ("NaN above it", [1, 0, .nan, 1, 0, 1]), ("infinity", [1, 0, .infinity, 1, 0, 1]),
      ("infinite diagonal", [.infinity, .infinity, 1, .infinity, 1, 1]),
    ] as [(String, [Double])])
  func unfitMatricesThrow(why: String, g: [Double]) {
    let G = symmetric(g)
    #expect(throws: LAPACKError.self, "\(why)") { _ = try factored(G.all) }
  }

  @Test func aRidgeMakesASingularMatrixFit() throws {
    let G = symmetric([1, 1, 0.5, 1, 0.5, 1])
    let B = Matrix<Double>(rows: 2, columns: 3) { i, j in Double(i - j) }
    var X = B.copy()
    try factored(G.all, ridge: 1e-6).solveFromRight(X.mutableAll)
    expectSolution(X.all, G, 1e-6, B)
  }

  /// The bar for a pivot follows the precision that G was made with.
  @Test func theSmallestPivotIsTheCallers() throws {
    let G = symmetric([1, 1 - 1e-9, 0, 1, 0, 1])
    _ = try factored(G.all)
    #expect(throws: LAPACKError.self) { _ = try factored(G.all, smallestPivot: 1e-7) }
  }

  /// A matrix of badly scaled variables is positive definite all the same.
  @Test func scalesMayDiffer() throws {
    let G = symmetric([1e12, 1, 0, 1e-6, 0, 1e-9])
    let B = Matrix<Double>(rows: 1, columns: 3) { _, j in Double(j + 1) }
    var X = B.copy()
    try factored(G.all).solveFromRight(X.mutableAll)
    expectSolution(X.all, G, 0, B)
  }

  @Test func anErrorSaysWhatAndWhere() {
    do {
      let G = symmetric([1, 2, 0, 1, 0, 1])
      _ = try factored(G.all)
      Issue.record("an indefinite matrix was factored")
    } catch let error {
      #expect(error.routine == "dpotrf")
      #expect(error.info == 2)
      #expect(error.description.contains("row 2"))
    }
    do {
      let G = symmetric([1, 0, 0, .nan, 0, 1])
      _ = try factored(G.all)
      Issue.record("a NaN was factored")
    } catch let error {
      #expect(error.info != 0)
    }
  }

  private func symmetric(_ upper: [Double]) -> Matrix<Double> {
    let place = [[0, 1, 2], [1, 3, 4], [2, 4, 5]]
    return Matrix(rows: 3, columns: 3) { i, j in upper[place[i][j]] }
  }
}

/// The factor of G + ρI.
private func factored<Number>(
  _ G: Tile<Number>, ridge: Number = 0, smallestPivot: Number = 1e-14
) throws(LAPACKError) -> Cholesky<Number> {
  var factor = Cholesky<Number>(size: G.rows)
  try factor.factor(G, ridge: ridge, smallestPivot: smallestPivot)
  return factor
}

/// (G + ρI)⁻¹ of its factor.
private func inverted<Number>(_ factor: borrowing Cholesky<Number>, size d: Int) -> Matrix<Number> {
  var inverse = Matrix<Number>(rows: d, columns: d)
  factor.invert(into: &inverse)
  return inverse
}
