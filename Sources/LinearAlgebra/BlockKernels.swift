import CLanes

// The innermost loop of the products in TileProducts.swift. A block of V vectors of rows and N columns of the result stays in registers
// while `depth` products are added to it:
//
//     C[16 V × N] ← C + Σ_k a_k b_kᵀ
//
// Every entry is one chain of fused multiply-adds in the order of k. So its bits depend neither on where the blocks' boundaries lie
// nor on how many k one call takes: a product may be cut in any way, and any vector width gives the same.

/// One side of a product: element (i, k) lies at `base + i · stride + k · depthStride`. On the rows' side `stride` is 1.
struct Operand {
  let base: UnsafePointer<Float>
  let stride: Int
  let depthStride: Int

  /// The side that starts i elements further.
  @inline(__always)
  func from(_ i: Int) -> Operand {
    Operand(base: base + i * stride, stride: stride, depthStride: depthStride)
  }
}

/// What the sums begin with.
enum SumsStart {
  case zero
  /// What the result's memory holds.
  case memory
}

/// The largest block: all its sums, a column of the rows' side and one number of the columns' side fit the registers.
let blockVectors = Int(LANES_BLOCK_VECTORS)
let blockColumns = Int(LANES_BLOCK_COLUMNS)
let blockRows = blockVectors * laneCount
/// The most vectors of a block of one column: enough chains to keep the multipliers busy.
let singleColumnVectors = 4 * blockVectors

private enum Block<let V: Int, let N: Int> {
  @inline(never)
  static func add(
    _ C: UnsafeMutablePointer<Float>, _ stride: Int, _ A: Operand, _ B: Operand, _ depth: Int,
    _ start: SumsStart
  ) {
    // Two loops, so that the common stride of 1 is compiled in.
    if B.stride == 1 {
      add(C, stride, A, B, columnStride: 1, depth, start)
    } else {
      add(C, stride, A, B, columnStride: B.stride, depth, start)
    }
  }

  @inline(__always)
  private static func add(
    _ C: UnsafeMutablePointer<Float>, _ stride: Int, _ A: Operand, _ B: Operand, columnStride: Int,
    _ depth: Int, _ start: SumsStart
  ) {
    var sums = InlineArray<V, InlineArray<N, Lanes>>(repeating: .init(repeating: .zero))
    if start == .memory {
      for j in 0..<N {
        for v in 0..<V { sums[v][j] = Lanes(at: C + j * stride + v * laneCount) }
      }
    }
    var (a, b) = (A.base, B.base)
    for _ in 0..<depth {
      var rows = InlineArray<V, Lanes>(repeating: .zero)
      for v in 0..<V { rows[v] = Lanes(at: a + v * laneCount) }
      for j in 0..<N {
        let column = Lanes(repeating: b[j * columnStride])
        for v in 0..<V { sums[v][j] = .multiplyAdd(rows[v], column, sums[v][j]) }
      }
      a += A.depthStride
      b += B.depthStride
    }
    for j in 0..<N {
      for v in 0..<V { sums[v][j].store(at: C + j * stride + v * laneCount) }
    }
  }
}

/// Adds to a block of `vectors` ≤ `blockVectors` times `columns` ≤ `blockColumns`, or of `singleColumnVectors` times 1.
func addBlock(
  _ C: UnsafeMutablePointer<Float>, _ stride: Int, _ A: Operand, _ B: Operand, vectors: Int, columns: Int,
  depth: Int, _ start: SumsStart
) {
  switch (vectors, columns) {
  case (3, 8): Block<3, 8>.add(C, stride, A, B, depth, start)
  case (3, 7): Block<3, 7>.add(C, stride, A, B, depth, start)
  case (3, 6): Block<3, 6>.add(C, stride, A, B, depth, start)
  case (3, 5): Block<3, 5>.add(C, stride, A, B, depth, start)
  case (3, 4): Block<3, 4>.add(C, stride, A, B, depth, start)
  case (3, 3): Block<3, 3>.add(C, stride, A, B, depth, start)
  case (3, 2): Block<3, 2>.add(C, stride, A, B, depth, start)
  case (3, 1): Block<3, 1>.add(C, stride, A, B, depth, start)
  case (2, 8): Block<2, 8>.add(C, stride, A, B, depth, start)
  case (2, 7): Block<2, 7>.add(C, stride, A, B, depth, start)
  case (2, 6): Block<2, 6>.add(C, stride, A, B, depth, start)
  case (2, 5): Block<2, 5>.add(C, stride, A, B, depth, start)
  case (2, 4): Block<2, 4>.add(C, stride, A, B, depth, start)
  case (2, 3): Block<2, 3>.add(C, stride, A, B, depth, start)
  case (2, 2): Block<2, 2>.add(C, stride, A, B, depth, start)
  case (2, 1): Block<2, 1>.add(C, stride, A, B, depth, start)
  case (1, 8): Block<1, 8>.add(C, stride, A, B, depth, start)
  case (1, 7): Block<1, 7>.add(C, stride, A, B, depth, start)
  case (1, 6): Block<1, 6>.add(C, stride, A, B, depth, start)
  case (1, 5): Block<1, 5>.add(C, stride, A, B, depth, start)
  case (1, 4): Block<1, 4>.add(C, stride, A, B, depth, start)
  case (1, 3): Block<1, 3>.add(C, stride, A, B, depth, start)
  case (1, 2): Block<1, 2>.add(C, stride, A, B, depth, start)
  case (1, 1): Block<1, 1>.add(C, stride, A, B, depth, start)
  case (4, 1): Block<4, 1>.add(C, stride, A, B, depth, start)
  case (12, 1): Block<12, 1>.add(C, stride, A, B, depth, start)
  default: preconditionFailure("no kernel for \(vectors) vectors of \(columns) columns")
  }
}
