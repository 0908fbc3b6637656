import LinearAlgebra
import MPI

/// One sum over all samples: either a Gram matrix or a product.
enum SumKind: Equatable {
  /// G_l = a_l a_lᵀ; symmetric, so the upper triangle.
  case gram(Int)
  /// S_l = z_l a_{l−1}ᵀ.
  case product(Int)
}

/// The sums over all samples that travel in one reduction: exact, and therefore free of any order.
///
/// A chunk's sums are made in single precision by matrix products, the same calls on whichever rank. Whole chunks are then added as
/// 64-bit integers on a power-of-two grid that all ranks share, so that neither the order of the chunks nor their distribution
/// over ranks can change a bit. The grid follows the size of the sums of the sweep before: their largest entry gets about 44 bits,
/// which leaves room for growth and rounds far finer than the products did. Sums that leave this range are measured and added
/// anew. algorithm.md §5; Demmel & Nguyen, "Fast reproducible floating-point summation" (2013).
struct SharedSums: ~Copyable {
  private struct Block: ~Copyable {
    let kind: SumKind
    /// The sum over the chunk at hand.
    let partial: Matrix<Float>
    /// The sum over all chunks of all ranks, as last reduced.
    let total: Matrix<Double>
    /// Where its entries lie in the message: a Gram matrix's upper triangle, packed by columns, or all of a product.
    let entries: Range<Int>
    /// The grid's unit is 2^−exponent.
    var exponent = 0
    /// Largest entry of a chunk's sum, while measuring.
    var largest: Float = 0

    /// Calls `body` with each column of `partial` that counts, its length and its place in the message.
    func forEachColumn(_ body: (_ j: Int, _ length: Int, _ offset: Int) -> Void) {
      var offset = entries.lowerBound
      for j in 0..<partial.columns {
        let length = kind.isGram ? j + 1 : partial.rows
        body(j, length, offset)
        offset += length
      }
    }
  }

  private var blocks: Layers<Block>
  /// All blocks' entries, then one word a block: how many chunks did not fit on its grid.
  private let message: Matrix<Int64>
  private var isMeasuring = true
  private var hasJustMeasured = false
  /// A chunk's entries must fit in this many bits, so that all chunks together fit in 62.
  private let chunkBits: Int
  /// The largest entry of a total gets this many bits.
  private var targetBits: Int { chunkBits - 6 }

  /// - Parameters:
  ///   - kinds: which sums.
  ///   - network: gives their shapes.
  ///   - partition: how many chunks there are in all.
  init(_ kinds: [SumKind], _ network: Network, _ partition: Partition) {
    var end = 0
    blocks = Layers(0..<kinds.count) { i in
      let (rows, columns) = kinds[i].shape(network)
      let start = end
      end += kinds[i].isGram ? rows * (rows + 1) / 2 : rows * columns
      return Block(
        kind: kinds[i], partial: Matrix(rows: rows, columns: columns),
        total: Matrix(rows: rows, columns: columns), entries: start..<end)
    }
    message = Matrix(rows: end + kinds.count, columns: 1)
    chunkBits = min(50, 62 - (Int.bitWidth - partition.chunks.leadingZeroBitCount))
  }

  /// How many bytes one reduction moves.
  var bytes: Int { message.rows * MemoryLayout<Int64>.size }

  /// Adds a tile to the sums of the chunk at hand. Local.
  ///
  /// - Parameters:
  ///   - isFirst: whether the tile opens its chunk.
  ///   - a: the tile of a_l, l = 0 … L−1, over a row of ones where there is a bias.
  ///   - z: the tile of z_l, l = 1 … L.
  func add(isFirst: Bool, a: (Int) -> Tile<Float>, z: (Int) -> Tile<Float>) {
    let beta: Float = isFirst ? 0 : 1
    for i in blocks.indices {
      let partial = blocks[i].partial.all
      switch blocks[i].kind {
      case .gram(let l): gram(partial, of: a(l), beta: beta)
      case .product(let l): multiply(partial, z(l), a(l - 1), transposeB: .transposed, beta: beta)
      }
    }
  }

  /// Puts the chunk at hand on the grid and adds it to the message. Local; one pass over the sums.
  mutating func closeChunk() {
    for i in blocks.indices {
      let (partial, to) = (blocks[i].partial.all, message.base)
      if isMeasuring {
        var largest = blocks[i].largest
        blocks[i].forEachColumn { j, length, _ in
          largest = largestMagnitude(partial.column(j), length, largest)
        }
        blocks[i].largest = largest
      } else {
        let scale = Double(sign: .plus, exponent: blocks[i].exponent, significand: 1)
        var excess: UInt64 = 0
        blocks[i].forEachColumn { j, length, offset in
          excess |= addOnGrid(to + offset, partial.column(j), length, scale: scale, bits: chunkBits)
        }
        if excess != 0 { to[message.rows - blocks.indices.count + i] += 1 }
      }
    }
  }

  /// Adds the ranks' messages and reads the totals. Collective; one reduction.
  ///
  /// - Returns: whether every sum lay well on its grid. If not, all chunks must be added anew.
  /// - Throws: a numerical `Failure`, the same on all ranks, when a sum is not finite.
  mutating func reduce(over ranks: borrowing Communicator) throws -> Bool {
    if isMeasuring {
      try setGrids(over: ranks)
      return false
    }
    try ranks.sum(message.elements)
    var isGood = true
    for i in blocks.indices {
      let bits = bitsOfLargest(message.elements[blocks[i].entries])
      let excess = message[message.rows - blocks.indices.count + i, 0]
      let isCoarse = bits < targetBits - 20 && !hasJustMeasured
      if excess != 0 || isCoarse { isGood = false }
    }
    if isGood {
      for i in blocks.indices { readTotal(i) }
    } else {
      isMeasuring = true
    }
    hasJustMeasured = false
    message.elements.update(repeating: 0)
    return isGood
  }

  /// Sums over all samples at once, from arrays that hold them. Collective; two reductions or more.
  ///
  /// - Parameters:
  ///   - a: this rank's a_l, l = 0 … L−1.
  ///   - z: this rank's z_l, l = 1 … L.
  mutating func take(
    _ partition: Partition, over ranks: borrowing Communicator, a: (Int) -> Tile<Float>,
    z: (Int) -> Tile<Float>
  ) throws {
    repeat {
      for chunk in Cuts(0..<partition.range(of: ranks.rank).count, length: partition.chunk) {
        for tile in Cuts(chunk, length: Taylor.tileColumns) {
          add(
            isFirst: tile.lowerBound == chunk.lowerBound, a: { a($0).columns(tile) },
            z: { z($0).columns(tile) })
        }
        closeChunk()
      }
    } while try !reduce(over: ranks)
  }

  /// Gives `body` the total of a sum that this message brings: for a Gram matrix its upper triangle.
  func withTotal<T: ~Copyable>(_ kind: SumKind, _ body: (borrowing Matrix<Double>) throws -> T) rethrows -> T
  {
    guard let i = blocks.indices.first(where: { blocks[$0].kind == kind }) else {
      preconditionFailure("\(kind.description) does not travel in this message")
    }
    return try body(blocks[i].total)
  }

  /// Chooses the grids by the largest entry of any chunk's sum. Collective.
  private mutating func setGrids(over ranks: borrowing Communicator) throws {
    var largest = blocks.indices.map { blocks[$0].largest }
    try ranks.max(&largest)
    for i in blocks.indices {
      guard largest[i].isFinite else {
        throw Failure(
          .numericalFailure,
          "\(blocks[i].kind.description) is not finite: the iterates have left the range of single precision. "
            + "Raise the ridge, change beta or gamma, or look for huge values in the data (admm-mpi describe)",
          isShared: true)
      }
      if largest[i] > 0 { blocks[i].exponent = targetBits - 1 - Int(largest[i].exponent) }
      blocks[i].largest = 0
    }
    isMeasuring = false
    hasJustMeasured = true
  }

  private mutating func readTotal(_ i: Int) {
    let unit = Double(sign: .plus, exponent: -blocks[i].exponent, significand: 1)
    let (total, from) = (blocks[i].total.all, message.base)
    blocks[i].forEachColumn { j, length, offset in
      let column = total.column(j)
      for k in 0..<length { column[k] = Double(from[offset + k]) * unit }
    }
    let bits = bitsOfLargest(message.elements[blocks[i].entries])
    // A sum whose chunks cancel is smaller than they are: the grid follows only what moves far.
    if bits > 0 && abs(targetBits - bits) > 8 { blocks[i].exponent += targetBits - bits }
  }
}

extension SumKind {
  var isGram: Bool {
    if case .gram = self { true } else { false }
  }

  func shape(_ network: Network) -> (rows: Int, columns: Int) {
    switch self {
    case .gram(let l): (network.inputs(l + 1), network.inputs(l + 1))
    case .product(let l): (network.widths[l], network.inputs(l))
    }
  }

  var description: String {
    switch self {
    case .gram(let l): "a_\(l) a_\(l)ᵀ"
    case .product(let l): "z_\(l) a_\(l - 1)ᵀ"
    }
  }
}

/// to ← to + round(x · scale), as integers. Returns 0 if every addend has at most `bits` bits.
///
/// Adding 1.5 · 2^52 to a double leaves its value, rounded to a whole number, in the low bits: a conversion that vectorises.
private func addOnGrid(
  _ to: UnsafeMutablePointer<Int64>, _ x: UnsafePointer<Float>, _ count: Int, scale: Double, bits: Int
) -> UInt64 {
  let magic = 0x1.8p52
  let magicBits = Int64(bitPattern: magic.bitPattern)
  let half: Int64 = 1 << Int64(bits - 1)
  let shift = UInt64(bits)
  var excess: UInt64 = 0
  for k in 0..<count {
    let q = Int64(bitPattern: (Double(x[k]) * scale + magic).bitPattern) &- magicBits
    to[k] &+= q
    excess |= UInt64(bitPattern: q &+ half) &>> shift
  }
  return excess
}

/// max(start, |x_k|); NaN and infinity count as infinity.
private func largestMagnitude(_ x: UnsafePointer<Float>, _ count: Int, _ start: Float) -> Float {
  // Magnitudes order as their bit patterns do, NaN above infinity.
  var largest = start.bitPattern
  for k in 0..<count { largest = max(largest, x[k].bitPattern & 0x7FFF_FFFF) }
  return largest >= Float.infinity.bitPattern ? .infinity : Float(bitPattern: largest)
}

/// How many bits the largest magnitude has.
private func bitsOfLargest(_ x: Slice<UnsafeMutableBufferPointer<Int64>>) -> Int {
  var all: UInt64 = 0
  for value in x { all |= value.magnitude }
  return UInt64.bitWidth - all.leadingZeroBitCount
}
