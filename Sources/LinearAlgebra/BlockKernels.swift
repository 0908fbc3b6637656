public import CLanes

// The innermost loop of the products in TileProducts.swift. A block of V vectors of rows and N columns of the result
// stays in registers while `depth` products are added to it:
//
//     C[16 V × N] ← C + Σ_k a_k b_kᵀ
//
// Every entry is one chain of fused multiply-adds in the order of k. So its bits depend neither on where the blocks'
// boundaries lie nor on how many k one call takes: a product may be cut in any way, and any vector width gives the
// same.

/// One side of a product: element (i, k) lies at `base + i · stride + k · depthStride`. On the rows' side `stride`
/// is 1.
@usableFromInline struct Operand {
  @usableFromInline let base: UnsafePointer<Float>
  @usableFromInline let stride: Int
  @usableFromInline let depthStride: Int

  @inlinable @inline(__always)
  init(base: UnsafePointer<Float>, stride: Int, depthStride: Int) {
    self.base = base
    self.stride = stride
    self.depthStride = depthStride
  }

  /// The side that starts i elements further.
  @inlinable @inline(__always)
  func from(_ i: Int) -> Operand {
    Operand(base: base + i * stride, stride: stride, depthStride: depthStride)
  }
}

/// What the sums begin with.
@usableFromInline enum SumsStart {
  case zero
  /// What the result's memory holds.
  case memory
}

/// What a product does to the numbers of its rows' side as it loads them, so that f(A) need not be stored.
public protocol EntryFunction {
  /// f of sixteen numbers.
  func callAsFunction(_ x: Lanes) -> Lanes
}

/// f(x) = x.
@usableFromInline struct Unchanged: EntryFunction {
  @inlinable @inline(__always)
  init() {}

  @inlinable @inline(__always)
  func callAsFunction(_ x: Lanes) -> Lanes { x }
}

/// The largest block: all its sums, a column of the rows' side and one number of the columns' side fit the
/// registers.
@inlinable var blockVectors: Int { Int(LANES_BLOCK_VECTORS) }
@inlinable var blockColumns: Int { Int(LANES_BLOCK_COLUMNS) }

/// How many vectors the next block takes of those that are left: as many as fit, but no single one at the end if
/// that can be helped.
@inlinable func blockHeight(_ rest: Int) -> Int {
  blockVectors > 2 && rest == blockVectors + 1 ? blockVectors - 1 : min(blockVectors, rest)
}

/// The most vectors of a block of one column: enough chains to keep the multipliers busy.
@inlinable var singleColumnVectors: Int { 4 * blockVectors }

/// Takes the vectors of a product out of the registers. What a visitor has no use for it leaves out.
public protocol VectorVisitor {
  /// Sixteen rows from `row` of column `column` will be computed: the time to ask for what `visit` will load.
  func announce(row: Int, column: Int)
  /// Some neighbouring rows of column `column` are computed and will be visited, the upper ones first.
  mutating func beginColumn(_ column: Int)
  /// Sixteen rows from `row` of column `column` are computed; the last few may be padding.
  mutating func visit(_ product: Lanes, row: Int, column: Int)
  /// These rows of column `column` have been visited.
  mutating func endColumn(_ column: Int)
  /// A block of neighbouring rows and columns is done.
  mutating func endBlock()
}

extension VectorVisitor {
  @inlinable @inline(__always)
  public func announce(row: Int, column: Int) {}
  @inlinable @inline(__always)
  public mutating func beginColumn(_ column: Int) {}
  @inlinable @inline(__always)
  public mutating func endColumn(_ column: Int) {}
  @inlinable @inline(__always)
  public mutating func endBlock() {}
}

@usableFromInline enum Block<let V: Int, let N: Int> {
  /// sums ← sums + Σ_k f(a_k) b_kᵀ
  @inlinable @inline(__always)
  static func add<F: EntryFunction>(
    _ sums: inout InlineArray<N, InlineArray<V, Lanes>>, _ A: Operand, _ B: Operand, columnStride: Int,
    _ depth: Int, _ function: F
  ) {
    var (a, b) = (A.base, B.base)
    for _ in 0..<depth {
      var rows = InlineArray<V, Lanes>(repeating: .zero)
      for v in 0..<V { rows[v] = function(Lanes(at: a + v &* laneCount)) }
      for j in 0..<N {
        let column = Lanes(repeating: b[j &* columnStride])
        for v in 0..<V { sums[j][v] = .multiplyAdd(rows[v], column, sums[j][v]) }
      }
      a += A.depthStride
      b += B.depthStride
    }
  }

  /// C ← Σ_k f(a_k) b_kᵀ, or C ← C + that.
  @inlinable @inline(never)
  static func add<F: EntryFunction>(
    _ C: UnsafeMutablePointer<Float>, _ stride: Int, _ A: Operand, _ B: Operand, _ depth: Int,
    _ start: SumsStart, _ function: F
  ) {
    var sums = InlineArray<N, InlineArray<V, Lanes>>(repeating: .init(repeating: .zero))
    if start == .memory {
      for j in 0..<N {
        for v in 0..<V { sums[j][v] = Lanes(at: C + (j &* stride &+ v &* laneCount)) }
      }
      // The next block to the right is likely to be next, and its sums may have left the cache.
      for j in N..<2 * N {
        for v in 0..<V { lanes_prefetch(C + (j &* stride &+ v &* laneCount)) }
      }
    }
    // Two loops, so that the common stride of 1 is compiled in.
    if B.stride == 1 {
      add(&sums, A, B, columnStride: 1, depth, function)
    } else {
      add(&sums, A, B, columnStride: B.stride, depth, function)
    }
    for j in 0..<N {
      for v in 0..<V { sums[j][v].store(at: C + (j &* stride &+ v &* laneCount)) }
    }
  }

  /// Shows the visitor Σ_k a_k b_kᵀ, which begins at (row, column) of a product.
  @inlinable @inline(__always)
  static func visit<Visitor: VectorVisitor>(
    _ visitor: inout Visitor, _ A: Operand, _ B: Operand, _ depth: Int, row: Int, column: Int
  ) {
    for j in 0..<N {
      for v in 0..<V { visitor.announce(row: row &+ v &* laneCount, column: column &+ j) }
    }
    var sums = InlineArray<N, InlineArray<V, Lanes>>(repeating: .init(repeating: .zero))
    add(&sums, A, B, columnStride: B.stride, depth, Unchanged())
    // Without loops, which would take the sums through memory.
    if N > 0 { show(&visitor, sums[0], row, column) }
    if N > 1 { show(&visitor, sums[1], row, column &+ 1) }
    if N > 2 { show(&visitor, sums[2], row, column &+ 2) }
    if N > 3 { show(&visitor, sums[3], row, column &+ 3) }
    if N > 4 { show(&visitor, sums[4], row, column &+ 4) }
    if N > 5 { show(&visitor, sums[5], row, column &+ 5) }
    if N > 6 { show(&visitor, sums[6], row, column &+ 6) }
    if N > 7 { show(&visitor, sums[7], row, column &+ 7) }
    visitor.endBlock()
  }

  /// Shows the visitor a column.
  @inlinable @inline(__always)
  static func show<Visitor: VectorVisitor>(
    _ visitor: inout Visitor, _ sums: InlineArray<V, Lanes>, _ row: Int, _ column: Int
  ) {
    visitor.beginColumn(column)
    if V > 0 { visitor.visit(sums[0], row: row, column: column) }
    if V > 1 { visitor.visit(sums[1], row: row &+ laneCount, column: column) }
    if V > 2 { visitor.visit(sums[2], row: row &+ 2 &* laneCount, column: column) }
    visitor.endColumn(column)
  }
}

/// Adds to a block of `vectors` ≤ `blockVectors` times `columns` ≤ `blockColumns`, or of at most
/// `singleColumnVectors` times 1.
@inlinable func addBlock<F: EntryFunction>(
  _ C: UnsafeMutablePointer<Float>, _ stride: Int, _ A: Operand, _ B: Operand, vectors: Int, columns: Int,
  depth: Int, _ start: SumsStart, _ function: F
) {
  switch (vectors, columns) {
  case (3, 8): Block<3, 8>.add(C, stride, A, B, depth, start, function)
  case (3, 7): Block<3, 7>.add(C, stride, A, B, depth, start, function)
  case (3, 6): Block<3, 6>.add(C, stride, A, B, depth, start, function)
  case (3, 5): Block<3, 5>.add(C, stride, A, B, depth, start, function)
  case (3, 4): Block<3, 4>.add(C, stride, A, B, depth, start, function)
  case (3, 3): Block<3, 3>.add(C, stride, A, B, depth, start, function)
  case (3, 2): Block<3, 2>.add(C, stride, A, B, depth, start, function)
  case (3, 1): Block<3, 1>.add(C, stride, A, B, depth, start, function)
  case (2, 8): Block<2, 8>.add(C, stride, A, B, depth, start, function)
  case (2, 7): Block<2, 7>.add(C, stride, A, B, depth, start, function)
  case (2, 6): Block<2, 6>.add(C, stride, A, B, depth, start, function)
  case (2, 5): Block<2, 5>.add(C, stride, A, B, depth, start, function)
  case (2, 4): Block<2, 4>.add(C, stride, A, B, depth, start, function)
  case (2, 3): Block<2, 3>.add(C, stride, A, B, depth, start, function)
  case (2, 2): Block<2, 2>.add(C, stride, A, B, depth, start, function)
  case (2, 1): Block<2, 1>.add(C, stride, A, B, depth, start, function)
  case (1, 8): Block<1, 8>.add(C, stride, A, B, depth, start, function)
  case (1, 7): Block<1, 7>.add(C, stride, A, B, depth, start, function)
  case (1, 6): Block<1, 6>.add(C, stride, A, B, depth, start, function)
  case (1, 5): Block<1, 5>.add(C, stride, A, B, depth, start, function)
  case (1, 4): Block<1, 4>.add(C, stride, A, B, depth, start, function)
  case (1, 3): Block<1, 3>.add(C, stride, A, B, depth, start, function)
  case (1, 2): Block<1, 2>.add(C, stride, A, B, depth, start, function)
  case (1, 1): Block<1, 1>.add(C, stride, A, B, depth, start, function)
  case (12, 1): Block<12, 1>.add(C, stride, A, B, depth, start, function)
  case (11, 1): Block<11, 1>.add(C, stride, A, B, depth, start, function)
  case (10, 1): Block<10, 1>.add(C, stride, A, B, depth, start, function)
  case (9, 1): Block<9, 1>.add(C, stride, A, B, depth, start, function)
  case (8, 1): Block<8, 1>.add(C, stride, A, B, depth, start, function)
  case (7, 1): Block<7, 1>.add(C, stride, A, B, depth, start, function)
  case (6, 1): Block<6, 1>.add(C, stride, A, B, depth, start, function)
  case (5, 1): Block<5, 1>.add(C, stride, A, B, depth, start, function)
  case (4, 1): Block<4, 1>.add(C, stride, A, B, depth, start, function)
  default: preconditionFailure("no kernel for \(vectors) vectors of \(columns) columns")
  }
}
