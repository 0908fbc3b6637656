// Products of tiles in single precision: few columns, which lie in a core's cache, and matrices of any height.
//
// They work in whole vectors of sixteen rows. A result's columns lie `paddedRows` or more apart, and what is between
// the last row and the next vector's end is overwritten. Of an operand up to fifteen numbers beyond a column's end
// are read, and never used for an entry that counts. Every entry is one chain of fused multiply-adds
// (BlockKernels.swift): its bits don't depend on how a product is cut into tiles, nor on the processor's vector
// width.

/// A matrix A in the order in which products A B read it.
///
/// From `fewRows` rows on that is panels of the rows that a block takes, each column of a panel in one piece. Below,
/// whole vectors of rows would be mostly padding: then each row lies in one piece, and an entry of a product is
/// sixteen chains, one a lane, that are added at the end.
public struct Panels: ~Copyable {
  /// How many rows the matrix has.
  public let rows: Int
  /// How many columns the matrix has.
  public let columns: Int
  @usableFromInline var packed: Matrix<Float>

  /// A matrix of fewer rows is kept row by row.
  public static let fewRows = 8
  /// Whether it is kept row by row.
  public var hasFewRows: Bool { rows < Self.fewRows }

  /// Room for a matrix, zero.
  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    packed =
      rows < Self.fewRows
      ? Matrix(rows: wholeVectors(columns) * laneCount, columns: rows)
      : Matrix(rows: wholeVectors(rows) * laneCount * columns, columns: 1)
  }

  /// Overwrites all entries with those of `A`, which has the same shape. Local.
  public mutating func assign(_ A: Tile<Float>) {
    precondition(
      A.rows == rows && A.columns == columns, "\(A.rows) × \(A.columns) is not \(rows) × \(columns)")
    if hasFewRows {
      for k in 0..<columns {
        for i in 0..<rows { packed.mutableAll.column(i)[k] = A.column(k)[i] }
      }
      return
    }
    var first = 0
    while first < rows {
      let height = panelHeight(first)
      let to = packed.mutableBase + first * columns
      let count = min(height, rows - first)
      for k in 0..<columns {
        (to + k * height).update(from: A.column(k) + first, count: count)
        (to + k * height + count).update(repeating: 0, count: height - count)
      }
      first += height
    }
  }

  /// Overwrites all entries with those of Aᵀ. Local.
  public mutating func assign(transposed A: Tile<Float>) {
    precondition(
      A.columns == rows && A.rows == columns, "\(A.columns) × \(A.rows) is not \(rows) × \(columns)")
    if hasFewRows {
      for i in 0..<rows { packed.mutableAll.column(i).update(from: A.column(i), count: columns) }
      return
    }
    var first = 0
    while first < rows {
      let height = panelHeight(first)
      let to = packed.mutableBase + first * columns
      for i in 0..<height {
        guard first + i < rows else {
          for k in 0..<columns { to[i + k * height] = 0 }
          continue
        }
        let from = A.column(first + i)
        for k in 0..<columns { to[i + k * height] = from[k] }
      }
      first += height
    }
  }

  /// The rows of the panel that starts at row `first`: whole vectors.
  @inlinable func panelHeight(_ first: Int) -> Int { blockHeight(wholeVectors(rows - first)) * laneCount }

  /// Entry (i, k).
  public subscript(i: Int, k: Int) -> Float {
    precondition(i >= 0 && i < rows && k >= 0 && k < columns, "(\(i), \(k)) in \(rows) × \(columns)")
    if hasFewRows { return row(i)[k] }
    var first = 0
    while first + panelHeight(first) <= i { first += panelHeight(first) }
    return packed.base[first * columns + k * panelHeight(first) + i - first]
  }

  /// Row i in one piece, zeros up to the end of the last vector. Only of a matrix of fewer than `fewRows` rows.
  public func row(_ i: Int) -> UnsafePointer<Float> {
    precondition(hasFewRows, "the \(rows) rows of this matrix lie in panels")
    return packed.all.column(i)
  }

  /// C ← A B, or C ← C + A B, for this matrix A. Local; 2 m n k flops.
  ///
  /// - Parameters:
  ///   - C: m × n, padded where m is 8 or more.
  ///   - B: k × n.
  ///   - isAdded: whether to add to what C holds.
  public func multiply(_ C: MutableTile<Float>, _ B: Tile<Float>, isAdded: Bool = false) {
    precondition(
      C.rows == rows && B.rows == columns && C.columns == B.columns,
      "(\(rows) × \(columns)) · (\(B.rows) × \(B.columns)) is not \(C.rows) × \(C.columns)")
    if hasFewRows { return multiplyByRows(C, B, isAdded) }
    checkPadding(C)
    let right = Operand(base: B.base, stride: B.stride, depthStride: 1)
    var first = 0
    while first < rows {
      let height = panelHeight(first)
      let left = Operand(base: packed.base + first * columns, stride: 1, depthStride: height)
      for j in stride(from: 0, to: C.columns, by: blockColumns) {
        addBlock(
          C.base + first + j * C.stride, C.stride, left, right.from(j), vectors: height / laneCount,
          columns: min(blockColumns, C.columns - j), depth: columns, isAdded ? .memory : .zero, Unchanged())
      }
      first += height
    }
  }

  /// Shows the visitor every vector of sixteen rows of A B as soon as it is computed, from a register: what would
  /// else be stored and loaded again. Local; 2 m n k flops. Not for a matrix of few rows.
  ///
  /// - Parameter B: k × n.
  @inlinable
  public func multiply<Visitor: VectorVisitor>(_ B: Tile<Float>, _ visitor: inout Visitor) {
    precondition(!hasFewRows && B.rows == columns, "(\(rows) × \(columns)) · (\(B.rows) × \(B.columns))")
    // A local copy can live in registers.
    var own = visitor
    defer { visitor = own }
    let right = Operand(base: B.base, stride: B.stride, depthStride: 1)
    let whole = B.columns / blockColumns * blockColumns
    var row = 0
    while row < rows {
      let height = panelHeight(row)
      let left = Operand(base: packed.base + row * columns, stride: 1, depthStride: height)
      for j in stride(from: 0, to: whole, by: blockColumns) {
        // The compiler drops the blocks that this processor's registers can't hold.
        switch (blockColumns, height) {
        case (8, 48): Block<3, 8>.visit(&own, left, right.from(j), columns, row: row, column: j)
        case (8, 32): Block<2, 8>.visit(&own, left, right.from(j), columns, row: row, column: j)
        case (8, _): Block<1, 8>.visit(&own, left, right.from(j), columns, row: row, column: j)
        case (6, _): Block<1, 6>.visit(&own, left, right.from(j), columns, row: row, column: j)
        default: Block<1, 2>.visit(&own, left, right.from(j), columns, row: row, column: j)
        }
      }
      for j in whole..<B.columns {
        for v in stride(from: 0, to: height, by: laneCount) {
          Block<1, 1>.visit(&own, left.from(v), right.from(j), columns, row: row + v, column: j)
        }
      }
      row += height
    }
  }

  private func multiplyByRows(_ C: MutableTile<Float>, _ B: Tile<Float>, _ isAdded: Bool) {
    let group = 8
    for first in stride(from: 0, to: C.columns, by: group) {
      let count = min(group, C.columns - first)
      for i in 0..<rows {
        let sums = count == group ? dots(row(i), B, first) : dotsOneByOne(row(i), B, first, count)
        for j in 0..<count {
          let to = C.base + i + (first + j) * C.stride
          to.pointee = isAdded ? to.pointee + sums[j] : sums[j]
        }
      }
    }
  }

  /// The dot products of a row with eight columns of B from the `first`.
  private func dots(_ row: UnsafePointer<Float>, _ B: Tile<Float>, _ first: Int) -> SIMD8<Float> {
    var sums = InlineArray<8, Lanes>(repeating: .zero)
    let base = B.base + first * B.stride
    let whole = columns / laneCount * laneCount
    for k in stride(from: 0, to: whole, by: laneCount) {
      let weights = Lanes(at: row + k)
      for j in 0..<8 { sums[j] = .multiplyAdd(weights, Lanes(at: base + j * B.stride + k), sums[j]) }
    }
    if whole < columns {
      let weights = Lanes(at: row + whole)
      for j in 0..<8 {
        let numbers = Lanes(at: base + j * B.stride + whole, count: columns - whole)
        sums[j] = .multiplyAdd(weights, numbers, sums[j])
      }
    }
    var totals = SIMD8<Float>()
    for j in 0..<8 { totals[j] = sums[j].total }
    return totals
  }

  private func dotsOneByOne(
    _ row: UnsafePointer<Float>, _ B: Tile<Float>, _ first: Int, _ count: Int
  ) -> SIMD8<Float> {
    var totals = SIMD8<Float>()
    for j in 0..<count {
      var sum = Lanes.zero
      for k in stride(from: 0, to: columns, by: laneCount) {
        let numbers = Lanes(at: B.column(first + j) + k, count: min(laneCount, columns - k))
        sum = .multiplyAdd(Lanes(at: row + k), numbers, sum)
      }
      totals[j] = sum.total
    }
    return totals
  }
}

/// C ← C + A Bᵀ. Local; 2 m n k flops.
///
/// - Parameters:
///   - C: m × n, padded.
///   - A: m × k.
///   - B: n × k.
///   - meanwhile: called after each block of the result, some microseconds apart.
public func addProduct(
  _ C: MutableTile<Float>, _ A: Tile<Float>, transposed B: Tile<Float>, meanwhile: () -> Void = {}
) {
  addProduct(C, Unchanged(), of: A, transposed: B, meanwhile: meanwhile)
}

/// C ← C + f(A) Bᵀ, the same with a function of every entry of A.
@inlinable public func addProduct<F: EntryFunction>(
  _ C: MutableTile<Float>, _ function: F, of A: Tile<Float>, transposed B: Tile<Float>,
  meanwhile: () -> Void = {}
) {
  precondition(
    C.rows == A.rows && C.columns == B.rows && A.columns == B.columns,
    "(\(A.rows) × \(A.columns)) · (\(B.rows) × \(B.columns))ᵀ is not \(C.rows) × \(C.columns)")
  checkPadding(C)
  let left = Operand(base: A.base, stride: 1, depthStride: A.stride)
  let right = Operand(base: B.base, stride: 1, depthStride: B.stride)
  var i = 0
  while i < C.rows {
    let rest = wholeVectors(C.rows - i)
    let vectors = C.columns == 1 ? min(singleColumnVectors, rest) : blockHeight(rest)
    for j in stride(from: 0, to: C.columns, by: blockColumns) {
      addBlock(
        C.base + i + j * C.stride, C.stride, left.from(i), right.from(j), vectors: vectors,
        columns: min(blockColumns, C.columns - j), depth: A.columns, .memory, function)
      meanwhile()
    }
    i += vectors * laneCount
  }
}

/// The upper triangle of G ← G + A Aᵀ. Local; m (m+1) n flops, and at most a tenth more where m is in the hundreds.
///
/// - Parameters:
///   - G: m × m, padded; what lies below the diagonal is junk.
///   - A: m × n.
///   - meanwhile: called after each block of the result, some microseconds apart.
public func addGram(_ G: MutableTile<Float>, of A: Tile<Float>, meanwhile: () -> Void = {}) {
  precondition(
    G.rows == A.rows && G.columns == A.rows,
    "the Gram matrix of \(A.rows) rows is not \(G.rows) × \(G.columns)")
  checkPadding(G)
  let left = Operand(base: A.base, stride: 1, depthStride: A.stride)
  var i = 0
  while i < G.rows {
    let height = blockHeight(wholeVectors(G.rows - i))
    for j in stride(from: i / blockColumns * blockColumns, to: G.columns, by: blockColumns) {
      let columns = min(blockColumns, G.columns - j)
      let vectors = min(height, wholeVectors(j + columns - i))
      guard vectors > 0 else { continue }
      addBlock(
        G.base + i + j * G.stride, G.stride, left.from(i), left.from(j), vectors: vectors, columns: columns,
        depth: A.columns, .memory, Unchanged())
      meanwhile()
    }
    i += height * laneCount
  }
}

/// What is written in whole vectors needs room for them.
@inlinable public func checkPadding(_ C: MutableTile<Float>) {
  precondition(
    C.stride >= wholeVectors(C.rows) * laneCount || C.columns <= 1,
    "columns \(C.stride) apart have no room for \(C.rows) rows in whole vectors")
}
