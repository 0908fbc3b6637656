import Foundation
import LinearAlgebra
import TestSupport
import Testing

@Suite struct PseudoInverseTests {
  /// The four conditions of Penrose (1955), which only the pseudo-inverse P of G fulfils.
  @Test(arguments: [(1, 1), (1, 0), (4, 4), (6, 3), (20, 1), (30, 29), (50, 50), (5, 0)])
  func penroseConditions(d: Int, rank: Int) throws {
    let G = semidefinite(d, rank: rank, seed: UInt64(100 * d + rank))
    let P = try pseudoInverse(G)
    let GP = product(G, P)
    let PG = product(P, G)
    expectEqual(product(GP, G), G, scale: frobeniusNorm(G.all), "G P G = G")
    expectEqual(product(PG, P), P, scale: frobeniusNorm(P.all), "P G P = P")
    expectEqual(transposed(GP), GP, scale: 1, "G P is symmetric")
    expectEqual(transposed(PG), PG, scale: 1, "P G is symmetric")
    // G P projects on the range of G: its trace is the rank.
    #expect(abs((0..<d).reduce(0) { $0 + GP[$1, $1] } - Double(rank)) < 1e-9)
  }

  @Test func anInvertibleMatrixGivesItsInverse() throws {
    let G = Matrix<Double>(rows: 2, columns: 2) { i, j in [[2, 1], [1, 3]][i][j] }
    let P = try pseudoInverse(G)
    let expected = Matrix<Double>(rows: 2, columns: 2) { i, j in [[0.6, -0.2], [-0.2, 0.4]][i][j] }
    expectEqual(P, expected, scale: 1, "the inverse")
  }

  @Test func theToleranceCutsSmallEigenvalues() throws {
    let G = Matrix<Double>(rows: 3, columns: 3) { i, j in i == j ? [1, 1e-5, 1e-9][i] : 0 }
    for (tolerance, kept) in [(1e-12, [1, 1e5, 1e9]), (1e-7, [1, 1e5, 0]), (1e-3, [1, 0, 0])] {
      var P = Matrix<Double>(rows: 3, columns: 3) { i, j in i == j ? 1 : 0 }
      try multiplyByPseudoInverse(P.mutableAll, of: G.all, tolerance: tolerance)
      for i in 0..<3 { #expect(abs(P[i, i] - kept[i]) <= 1e-9 * kept[i], "\(i), \(tolerance)") }
    }
  }

  @Test func onlyTheUpperTriangleIsReadAndATileMayHaveAStride() throws {
    let G = semidefinite(8, rank: 5, seed: 12)
    let upper = Matrix<Double>(rows: 8, columns: 8) { i, j in i > j ? 1e30 : G[i, j] }
    var memory = Matrix<Double>(rows: 7, columns: 8) { i, j in i == 6 ? 77 : Double(i * j + 1) }
    let start = Matrix<Double>(rows: 6, columns: 8) { i, j in memory[i, j] }
    try multiplyByPseudoInverse(memory.mutableRows(0..<6), of: upper.all)
    let expected = product(start, try pseudoInverse(G))
    let own = Matrix<Double>(rows: 6, columns: 8) { i, j in memory[i, j] }
    expectEqual(own, expected, scale: frobeniusNorm(expected.all), "X P")
    #expect((0..<8).allSatisfy { memory[6, $0] == 77 })
  }

  @Test func aNaNThrows() {
    let G = Matrix<Double>(rows: 2, columns: 2) { i, j in i == 0 && j == 1 ? .nan : 1 }
    #expect(throws: LAPACKError.self) { _ = try pseudoInverse(G) }
  }

  /// Nothing to multiply is no error, and writes nothing: not even LAPACK, which takes no system of size 0, nor one
  /// with a NaN, is asked.
  @Test(arguments: [(3, 0), (0, 2), (0, 0)]) func sizeZero(rows: Int, d: Int) {
    var memory = Matrix<Double>(rows: 4, columns: 3) { i, j in Double(10 * i + j) }
    let before = memory.copy()
    let G = Matrix<Double>(rows: d, columns: d) { _, _ in .nan }
    #expect(throws: Never.self) {
      try multiplyByPseudoInverse(memory.mutableRows(0..<rows).columns(0..<d), of: G.all)
    }
    #expect(memory.all.nested == before.all.nested)
  }

  @Test(.enabled(if: Python.isAvailable, "\(Python.howToInstall)"), arguments: [(3, 3), (12, 7), (40, 25)])
  func equalsSciPysPinvh(d: Int, rank: Int) throws {
    let G = semidefinite(d, rank: rank, seed: UInt64(d))
    let P = try pseudoInverse(G)
    let program = """
      import json, sys, numpy, scipy.linalg
      G = numpy.array(json.load(open(sys.argv[1])))
      json.dump(scipy.linalg.pinvh(G, rtol=1e-12).tolist(), open(sys.argv[2], "w"))
      """
    let expected: [[Double]] = try Python.run(program: program, input: G.all.nested)
    let distance = relativeDistance(P.all.nested, expected)
    #expect(distance < 1e-9, "relative distance \(distance)")
  }

  // MARK: Plain algebra

  private func pseudoInverse(_ G: borrowing Matrix<Double>) throws -> Matrix<Double> {
    var P = Matrix<Double>(rows: G.rows, columns: G.rows) { i, j in i == j ? 1 : 0 }
    try multiplyByPseudoInverse(P.mutableAll, of: G.all)
    return P
  }

  /// B Bᵀ for a d × rank matrix B of normal numbers.
  private func semidefinite(_ d: Int, rank: Int, seed: UInt64) -> Matrix<Double> {
    var random = SeededGenerator(seed: seed)
    let B = Matrix<Double>(rows: d, columns: rank) { _, _ in random.normal() }
    return product(B, transposed(B))
  }

  private func product(_ A: borrowing Matrix<Double>, _ B: borrowing Matrix<Double>) -> Matrix<Double> {
    var C = Matrix<Double>(rows: A.rows, columns: B.columns)
    for j in 0..<B.columns {
      for k in 0..<A.columns {
        for i in 0..<A.rows { C[i, j] += A[i, k] * B[k, j] }
      }
    }
    return C
  }

  private func transposed(_ A: borrowing Matrix<Double>) -> Matrix<Double> {
    var B = Matrix<Double>(rows: A.columns, columns: A.rows)
    for j in 0..<A.columns {
      for i in 0..<A.rows { B[j, i] = A[i, j] }
    }
    return B
  }

  private func expectEqual(
    _ A: borrowing Matrix<Double>, _ B: borrowing Matrix<Double>, scale: Double, _ what: String
  ) {
    var difference = A.copy()
    for j in 0..<B.columns { for i in 0..<B.rows { difference[i, j] -= B[i, j] } }
    let distance = frobeniusNorm(difference.all)
    #expect(distance <= 1e-9 * scale, "\(what): off by \(distance)")
  }
}
