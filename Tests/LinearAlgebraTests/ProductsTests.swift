import LinearAlgebra
import TestSupport
import Testing

/// Products of small whole numbers are exact in any order, so `==` with three plain loops is the test.
@Suite struct ProductsTests {
  private static let shapes = [
    (1, 1, 1), (3, 4, 5), (7, 1, 9), (1, 8, 33), (16, 16, 16), (17, 31, 13), (64, 30, 29), (5, 6, 200),
    (3, 4, 0),
    (0, 4, 3), (3, 0, 4), (0, 0, 0),
  ]
  private static let transpositions: [Transposition] = [.none, .transposed]

  @Test(arguments: shapes)
  func productsInSinglePrecision(m: Int, n: Int, k: Int) {
    expectProducts(m, n, k) { (C: MutableTile<Float>, A, B, transposeA, transposeB, alpha, beta) in
      multiply(C, A, B, transposeA: transposeA, transposeB: transposeB, alpha: alpha, beta: beta)
    }
  }

  @Test(arguments: shapes)
  func productsInDoublePrecision(m: Int, n: Int, k: Int) {
    expectProducts(m, n, k) { (C: MutableTile<Double>, A, B, transposeA, transposeB, alpha, beta) in
      multiply(C, A, B, transposeA: transposeA, transposeB: transposeB, alpha: alpha, beta: beta)
    }
  }

  /// Debian's BLAS counts in 32 bits: a size beyond is never cut off in silence.
  @Test func sizesBeyond32BitsAreRefused() {
    for size in [0, 1, 1 << 30, (1 << 31) - 1] { #expect(isBLASSize(size), "\(size)") }
    for size in [1 << 31, (1 << 31) + 1, 1 << 32, (1 << 32) + 5, Int.max, -1] {
      #expect(!isBLASSize(size), "\(size)")
    }
  }

  private func expectProducts<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ m: Int, _ n: Int, _ k: Int,
    _ product: (MutableTile<T>, Tile<T>, Tile<T>, Transposition, Transposition, T, T) -> Void
  ) {
    var random = SeededGenerator(seed: UInt64(m + 100 * n + 10_000 * k))
    for transposeA in Self.transpositions {
      for transposeB in Self.transpositions {
        for (alpha, beta) in [(1, 0), (1, 1), (-2, 3), (0, 2)] as [(T, T)] {
          for isInner in [false, true] {
            let A = Whole<T>(transposeA == .none ? m : k, transposeA == .none ? k : m, isInner, &random)
            let B = Whole<T>(transposeB == .none ? k : n, transposeB == .none ? n : k, isInner, &random)
            var C = Whole<T>(m, n, isInner, &random)
            // With β = 0 what was there must not matter, not even a NaN.
            if beta == 0 { C.fill(.nan) }
            var expected = beta == 0 ? [[T]](repeating: [T](repeating: 0, count: n), count: m) : C.tile.nested
            for i in 0..<m {
              for j in 0..<n {
                var sum: T = 0
                for h in 0..<k {
                  let a = transposeA == .none ? A.tile.column(h)[i] : A.tile.column(i)[h]
                  sum += a * (transposeB == .none ? B.tile.column(j)[h] : B.tile.column(h)[j])
                }
                expected[i][j] = alpha * sum + beta * expected[i][j]
              }
            }
            product(C.mutableTile, A.tile, B.tile, transposeA, transposeB, alpha, beta)
            #expect(C.tile.nested == expected, "\(transposeA) \(transposeB) α \(alpha) β \(beta) \(isInner)")
            let isUntouched = C.surroundingsAreUntouched
            #expect(isUntouched, "\(transposeA) \(transposeB) α \(alpha) β \(beta)")
          }
        }
      }
    }
  }

  /// Of a Gram matrix only the upper triangle.
  @Test(arguments: [(1, 1), (5, 9), (16, 40), (33, 7), (4, 0), (0, 3), (40, 200)])
  func gramMatrices(m: Int, n: Int) {
    var random = SeededGenerator(seed: UInt64(m + 100 * n))
    for beta: Float in [0, 1, -2] {
      for isInner in [false, true] {
        let A = Whole<Float>(m, n, isInner, &random)
        var G = Whole<Float>(m, m, isInner, &random)
        if beta == 0 { G.fill(.nan) }
        // What lies below the diagonal is neither read nor written: a NaN there stays and does not spread.
        for j in 0..<m {
          for i in j..<m where i > j { G.mutableTile.column(j)[i] = .nan }
        }
        let before = G.tile.nested
        gram(G.mutableTile, of: A.tile, beta: beta)
        for i in 0..<m {
          for j in i..<m {
            var sum: Float = 0
            for h in 0..<n { sum += A.tile.column(h)[i] * A.tile.column(h)[j] }
            let expected = beta == 0 ? sum : sum + beta * before[i][j]
            #expect(G.tile.column(j)[i] == expected, "(\(i), \(j)), β \(beta)")
          }
          for j in 0..<i { #expect(G.tile.column(j)[i].isNaN, "(\(i), \(j)) was written") }
        }
        let isUntouched = G.surroundingsAreUntouched
        #expect(isUntouched)
      }
    }
  }

  @Test func theLibraryNamesItself() {
    let (version, kernel) = blasDescription()
    #expect(version.contains("OpenBLAS"))
    #expect(!kernel.isEmpty && kernel != "unknown")
  }
}

/// A matrix of whole numbers in −8…8: all of its memory, or a tile inside a larger one whose other entries are
/// marked.
private struct Whole<T: BinaryFloatingPoint & BitwiseCopyable>: ~Copyable {
  private var memory: Matrix<T>
  private let inner: (rows: Range<Int>, columns: Range<Int>)
  private static var mark: T { 12345 }

  init(_ rows: Int, _ columns: Int, _ isInner: Bool, _ random: inout SeededGenerator) {
    let margin = isInner ? 3 : 0
    memory = Matrix(rows: rows + 2 * margin, columns: columns + margin) { _, _ in Self.mark }
    inner = (margin..<margin + rows, 0..<columns)
    for j in 0..<columns {
      for i in 0..<rows { mutableTile.column(j)[i] = T(Int.random(in: -8...8, using: &random)) }
    }
  }

  var tile: Tile<T> { memory.rows(inner.rows).columns(inner.columns) }

  var mutableTile: MutableTile<T> {
    mutating get { memory.mutableRows(inner.rows).columns(inner.columns) }
  }

  mutating func fill(_ value: T) {
    for i in inner.rows.indices { mutableTile.fillRow(i - inner.rows.lowerBound, with: value) }
  }

  var surroundingsAreUntouched: Bool {
    for j in 0..<memory.columns {
      for i in 0..<memory.rows where !(inner.rows.contains(i) && inner.columns.contains(j)) {
        if memory[i, j] != Self.mark { return false }
      }
    }
    return true
  }
}
