import Glibc
import LinearAlgebra
import TestSupport
import Testing

/// The products of tiles against plain loops, to the bit: every entry is one chain of fused multiply-adds.
@Suite struct TileProductsTests {
  /// Rows and columns around the blocks' sizes, and depths around none.
  private static let shapes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 8, 300), (3, 5, 7), (7, 9, 33), (8, 8, 1), (16, 8, 16), (17, 7, 5), (47, 3, 4),
    (48, 24, 10),
    (49, 25, 3), (96, 6, 20), (100, 29, 65), (131, 13, 2), (12, 0, 4), (20, 4, 0),
  ]

  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
    var generator = SeededGenerator(seed: seed)
    return Matrix(rows: rows, columns: columns) { _, _ in Float(generator.normal()) }
  }

  private func chain(_ start: Float, _ count: Int, _ factors: (Int) -> (Float, Float)) -> Float {
    var sum = start
    for k in 0..<count { sum = fmaf(factors(k).0, factors(k).1, sum) }
    return sum
  }

  @Test(arguments: shapes) func productsWithATranspose(m: Int, n: Int, k: Int) {
    let A = random(m, k, seed: 1)
    let B = random(n + 2, k, seed: 2)
    var C = random(paddedRows(m), n + 1, seed: 3)
    let before = C.copy()
    // In two calls: where a product is cut must not matter.
    let cut = k / 3
    for part in [0..<cut, cut..<k] {
      addProduct(
        C.mutableColumns(0..<n).rows(0..<m), A.columns(part), transposed: B.columns(part).rows(1..<n + 1))
    }
    for j in 0..<n {
      for i in 0..<m {
        #expect(C[i, j] == chain(before[i, j], k) { (A[i, $0], B[j + 1, $0]) }, "(\(i), \(j))")
      }
    }
    for i in 0..<m { #expect(C[i, n] == before[i, n], "beyond the last column") }
  }

  private struct Doubled: EntryFunction {
    func callAsFunction(_ x: Lanes) -> Lanes { x + x }
  }

  /// The product of a function of the entries is that of the matrix of their values.
  @Test(arguments: shapes) func productsOfAFunction(m: Int, n: Int, k: Int) {
    let A = random(m, k, seed: 1)
    let values = Matrix<Float>(rows: m, columns: k) { i, j in 2 * A[i, j] }
    let B = random(n, k, seed: 2)
    var own = random(paddedRows(m), n, seed: 3)
    var other = own.copy()
    addProduct(own.mutableRows(0..<m), Doubled(), of: A.all, transposed: B.all)
    addProduct(other.mutableRows(0..<m), values.all, transposed: B.all)
    #expect(own.rows(0..<m).nested == other.rows(0..<m).nested)
  }

  /// Sees every vector of a product once, column by column within a block, from above.
  private struct Record: VectorVisitor {
    let to: MutableTile<Float>
    private var (column, row) = (-1, -1)
    private(set) var (columns, blocks) = (0, 0)

    init(to: MutableTile<Float>) { self.to = to }

    mutating func beginColumn(_ column: Int) { (self.column, row) = (column, -1) }

    mutating func visit(_ product: Lanes, row: Int, column: Int) {
      #expect(column == self.column && row > self.row)
      self.row = row
      for i in 0..<min(laneCount, to.rows - row) { to.column(column)[row + i] += product[i] }
    }

    mutating func endColumn(_ column: Int) {
      #expect(column == self.column)
      columns += 1
    }

    mutating func endBlock() { blocks += 1 }
  }

  @Test(arguments: shapes) func visitedProducts(m: Int, n: Int, k: Int) {
    guard m >= Panels.fewRows else { return }
    let A = random(m, k, seed: 6)
    let B = random(k, n, seed: 7)
    var panels = Panels(rows: m, columns: k)
    panels.assign(A.all)
    var stored = Matrix<Float>(rows: paddedRows(m), columns: n)
    panels.multiply(stored.mutableRows(0..<m), B.all)
    var seen = Matrix<Float>(rows: m, columns: n)
    var record = Record(to: seen.mutableAll)
    panels.multiply(B.all, &record)
    #expect(seen.all.nested == stored.rows(0..<m).nested)
    #expect(record.blocks <= record.columns && (n == 0) == (record.blocks == 0))
  }

  @Test(arguments: shapes) func gramMatrices(m: Int, n: Int, k: Int) {
    let A = random(m, n + k, seed: 4)
    var G = random(paddedRows(m), m, seed: 5)
    let before = G.copy()
    for part in [0..<n, n..<n + k] { addGram(G.mutableRows(0..<m), of: A.columns(part)) }
    for j in 0..<m {
      for i in 0...j {
        #expect(G[i, j] == chain(before[i, j], n + k) { (A[i, $0], A[j, $0]) }, "(\(i), \(j))")
      }
    }
  }

  /// One chain an entry from eight rows on, sixteen below, whatever the neighbours.
  @Test(arguments: shapes, [false, true]) func panels(shape: (m: Int, n: Int, k: Int), isAdded: Bool) {
    let (m, n, k) = shape
    let A = random(m, k, seed: 6)
    var B = random(k + 3, n, seed: 7)
    // What lies below an operand's last row must not matter.
    for j in 0..<n { B[k, j] = .nan }
    var C = random(paddedRows(m), n + 1, seed: 8)
    let before = C.copy()
    var panels = Panels(rows: m, columns: k)
    panels.assign(A.all)
    for i in 0..<m { for j in 0..<k { #expect(panels[i, j] == A[i, j]) } }
    panels.multiply(C.mutableColumns(0..<n).rows(0..<m), B.rows(0..<k), isAdded: isAdded)
    for j in 0..<n {
      for i in 0..<m {
        let start = isAdded ? before[i, j] : 0
        var expected = chain(start, k) { (A[i, $0], B[$0, j]) }
        if m < Panels.fewRows {
          var lanes = [Float](repeating: 0, count: 16)
          for p in 0..<k { lanes[p % 16] = fmaf(A[i, p], B[p, j], lanes[p % 16]) }
          while lanes.count > 1 {
            lanes = (0..<lanes.count / 2).map { lanes[$0] + lanes[$0 + lanes.count / 2] }
          }
          expected = start + lanes[0]
        }
        #expect(C[i, j] == expected, "(\(i), \(j))")
      }
      for i in 0..<m { #expect(C[i, n] == before[i, n], "beyond the last column") }
    }
  }

  /// Small whole numbers: exact, so equal to the library's product.
  @Test func theLibraryAgrees() {
    let (m, n, k) = (150, 70, 90)
    var generator = SeededGenerator(seed: 9)
    let A = Matrix<Float>(rows: m, columns: k) { _, _ in Float(Int.random(in: -9...9, using: &generator)) }
    let B = Matrix<Float>(rows: k, columns: n) { _, _ in Float(Int.random(in: -9...9, using: &generator)) }
    var own = Matrix<Float>(rows: paddedRows(m), columns: n)
    var other = Matrix<Float>(rows: m, columns: n)
    var panels = Panels(rows: m, columns: k)
    panels.assign(A.all)
    panels.multiply(own.mutableRows(0..<m), B.all)
    multiply(other.mutableAll, A.all, B.all)
    #expect(own.rows(0..<m).nested == other.all.nested)
  }

  @Test func padding() {
    #expect([0, 1, 16, 17, 48, 49, 250, 300, 512].map(paddedRows) == [0, 16, 16, 32, 48, 64, 272, 304, 528])
    #expect([0, 1, 16, 17].map(wholeVectors) == [0, 1, 1, 2])
  }
}
