import LinearAlgebra
import MPI

/// One sum over all samples: either a Gram matrix or a product.
package enum SumKind: Equatable, Sendable {
  /// G_l = a_l a_lᵀ; symmetric, so the upper triangle.
  case gram(Int)
  /// S_l = z_l a_{l−1}ᵀ.
  case product(Int)
}

/// The sums over all samples that travel in one reduction: exact, and therefore free of any order.
///
/// A chunk's sums are made in single precision by matrix products, the same on whichever rank and thread. Whole chunks are then added
/// as 64-bit integers on a power-of-two grid that all ranks share, so that neither the order of the chunks nor their distribution
/// over ranks and threads can change a bit. The grid follows the size of the sums of the sweep before: their largest entry
/// gets about 44 bits, which leaves room for growth and rounds far finer than the products did. Sums that leave this range are
/// measured and added anew. algorithm.md §5; Demmel & Nguyen, "Fast reproducible floating-point summation" (2013).
package struct SharedSums: ~Copyable {
  /// What all ranks know of a sum.
  private struct Block: ~Copyable {
    let layout: SumLayout
    /// The sum over all chunks of all ranks, as last reduced.
    let total: Matrix<Double>
    /// Whether the next pass over the chunks looks for the largest entry of a chunk's sum, and adds nothing.
    var isMeasured = true
    var hasJustBeenMeasured = false
  }

  private var blocks: Layers<Block>
  /// The units of the blocks' grids are 2^−exponent; nil while a block is measured.
  private var grids: [Int?]
  /// A chunk's entries must fit in this many bits, so that all chunks together fit in 62.
  private let chunkBits: Int
  /// The largest entry of a total gets this many bits.
  private var targetBits: Int { chunkBits - 6 }
  /// One a thread.
  package let accumulators: [ChunkSums]

  /// - Parameters:
  ///   - kinds: which sums.
  ///   - network: gives their shapes.
  ///   - partition: how many chunks there are in all.
  ///   - threads: how many threads add chunks.
  ///   - isStacked: whether the tile of a_l has z_{l+1} below its row of ones, in its padding: then z_{l+1} a_lᵀ is made by the
  ///     product a_l a_lᵀ.
  package init(
    _ kinds: [SumKind], _ network: Network, _ partition: Partition, threads: Int = 1,
    isStacked: (Int) -> Bool = { _ in false }
  ) {
    var end = 0
    var layouts: [SumLayout] = []
    for kind in kinds {
      var host: Int? = nil
      if case .product(let l) = kind, l > 1, isStacked(l - 1) {
        host = kinds.firstIndex(of: .gram(l - 1))
        if let host { layouts[host].stackedRows = network.widths[l - 1] + 1 + network.widths[l] }
      }
      layouts.append(SumLayout(kind, network, start: end, host: host))
      end = layouts[layouts.count - 1].entries.upperBound
    }
    blocks = Layers(0..<kinds.count) { i in
      let (rows, columns) = kinds[i].shape(network)
      return Block(layout: layouts[i], total: Matrix(rows: rows, columns: columns))
    }
    grids = [Int?](repeating: nil, count: kinds.count)
    let bits = min(50, 62 - (Int.bitWidth - partition.chunks.leadingZeroBitCount))
    chunkBits = bits
    accumulators = (0..<threads).map { _ in ChunkSums(layouts, chunkBits: bits) }
  }

  /// How many bytes one reduction moves.
  package var bytes: Int { accumulators[0].message.rows * MemoryLayout<Int64>.size }

  /// Ends the chunk at hand of a thread: puts its sums on the grids and adds them to its message. Local; one pass over the sums.
  package func closeChunk(_ thread: Int = 0) { accumulators[thread].close(grids) }

  /// Adds the threads' and the ranks' messages and reads the totals. Collective; one reduction.
  ///
  /// - Returns: whether every sum lay well on its grid. If not, all chunks must be added anew.
  /// - Throws: a numerical `Failure`, the same on all ranks, when a sum is not finite.
  package mutating func reduce(over ranks: borrowing Communicator) throws -> Bool {
    let message = accumulators[0].message
    for other in accumulators.dropFirst() {
      for k in 0..<message.rows {
        message.column(0)[k] &+= other.message.column(0)[k]
        other.message.column(0)[k] = 0
      }
    }
    if grids.contains(nil) {
      try setGrids(over: ranks)
      clear(message)
      return false
    }
    try ranks.sum(UnsafeMutableBufferPointer(start: message.base, count: message.rows))
    var isGood = true
    for i in blocks.indices {
      let bits = bitsOfLargest(message.base, blocks[i].layout.entries)
      let excess = message.base[message.rows - blocks.indices.count + i]
      let isCoarse = bits < targetBits - 20 && !blocks[i].hasJustBeenMeasured
      blocks[i].hasJustBeenMeasured = false
      if excess != 0 || isCoarse {
        isGood = false
        blocks[i].isMeasured = true
      }
    }
    if isGood {
      for i in blocks.indices { readTotal(i, message) }
    } else {
      for i in blocks.indices where blocks[i].isMeasured { grids[i] = nil }
    }
    clear(message)
    return isGood
  }

  private func clear(_ message: Tile<Int64>) {
    message.base.update(repeating: 0, count: message.rows)
  }

  /// Sums over all samples at once, from arrays that hold them. Collective; two reductions or more.
  ///
  /// - Parameters:
  ///   - a: this rank's a_l, l = 0 … L−1, over a row of ones where there is a bias.
  ///   - z: this rank's z_l, l = 1 … L.
  package mutating func take(
    _ partition: Partition, over ranks: borrowing Communicator, a: (Int) -> Tile<Float>,
    z: (Int) -> Tile<Float>
  ) throws {
    repeat {
      for chunk in Cuts(0..<partition.range(of: ranks.rank).count, length: partition.chunk) {
        for tile in Cuts(chunk, length: 256) {
          accumulators[0].add(a: { a($0).columns(tile) }, z: { z($0).columns(tile) })
        }
        closeChunk()
      }
    } while try !reduce(over: ranks)
  }

  /// Gives `body` the total of a sum: for a Gram matrix its upper triangle.
  package func withTotal<T: ~Copyable>(
    _ kind: SumKind, _ body: (borrowing Matrix<Double>) throws -> T
  ) rethrows -> T {
    guard let i = blocks.indices.first(where: { blocks[$0].layout.kind == kind }) else {
      preconditionFailure("\(kind.description) does not travel in this message")
    }
    return try body(blocks[i].total)
  }

  /// Chooses the grids of the measured blocks by the largest entry of any chunk's sum. Collective.
  private mutating func setGrids(over ranks: borrowing Communicator) throws {
    var largest = blocks.indices.map { i in accumulators.reduce(0) { max($0, $1.largest[i]) } }
    for accumulator in accumulators { accumulator.forgetLargest() }
    try ranks.max(&largest)
    for i in blocks.indices where blocks[i].isMeasured {
      guard largest[i].isFinite else {
        throw Failure(
          .numericalFailure,
          "\(blocks[i].layout.kind.description) is not finite: the iterates have left the range of single precision. "
            + "Raise the ridge, change beta or gamma, or look for huge values in the data (admm-mpi describe)",
          isShared: true)
      }
      grids[i] = largest[i] > 0 ? targetBits - 1 - Int(largest[i].exponent) : 0
      blocks[i].isMeasured = false
      blocks[i].hasJustBeenMeasured = true
    }
  }

  private mutating func readTotal(_ i: Int, _ message: Tile<Int64>) {
    guard let exponent = grids[i] else { return }
    let unit = Double(sign: .plus, exponent: -exponent, significand: 1)
    let (layout, total) = (blocks[i].layout, blocks[i].total.all)
    layout.forEachColumn { j, length, offset in
      let (to, from) = (total.base + j * layout.columnStride, message.base + offset)
      for k in 0..<length { to[k * layout.rowStride] = Double(from[k]) * unit }
    }
    let bits = bitsOfLargest(message.base, layout.entries)
    // A sum whose chunks cancel is smaller than they are: the grid follows only what moves far.
    if bits > 0 && abs(targetBits - bits) > 8 { grids[i] = exponent + targetBits - bits }
  }
}

/// How a sum is computed and where it lies in the message.
package struct SumLayout: Sendable {
  package let kind: SumKind
  /// The sum as it is computed, before padding: whole vectors run down its columns. A product may be computed transposed.
  let rows, columns: Int
  let isTransposed: Bool
  /// Of a product z_l a_{l−1}ᵀ: the Gram matrix that it is computed with, as its last columns.
  let host: Int?
  /// Of a Gram matrix: how many rows the tile has if z_{l+1} is stacked below a_l; else 0.
  fileprivate(set) var stackedRows = 0
  /// Where its entries lie in the message, column by column; of a Gram matrix those of the upper triangle.
  let entries: Range<Int>

  init(_ kind: SumKind, _ network: Network, start: Int, host: Int?) {
    let (rows, columns) = kind.shape(network)
    self.kind = kind
    self.host = host
    isTransposed = host != nil || (!kind.isGram && Self.isTransposed(rows: rows, columns: columns))
    self.rows = isTransposed ? columns : rows
    self.columns = isTransposed ? rows : columns
    entries = start..<start + (kind.isGram ? rows * (rows + 1) / 2 : rows * columns)
  }

  /// Whether a product of this shape is computed transposed: the side that wastes less on padding goes down the columns.
  package static func isTransposed(rows: Int, columns: Int) -> Bool {
    wholeVectors(rows) * laneCount * columns > wholeVectors(columns) * laneCount * rows
  }

  /// The distances of neighbours in the sum as it is meant, which is not transposed, for one row and one column further in this.
  var rowStride: Int { isTransposed ? columns : 1 }
  var columnStride: Int { isTransposed ? 1 : rows }

  /// Calls `body` with each column, how many of its entries count, and their place in the message.
  @inline(__always)
  func forEachColumn(_ body: (_ j: Int, _ length: Int, _ offset: Int) -> Void) {
    var offset = entries.lowerBound
    for j in 0..<columns {
      let length = kind.isGram ? j + 1 : rows
      body(j, length, offset)
      offset += length
    }
  }
}

/// The sums of one thread: those over the chunk at hand, and those over its chunks so far.
package final class ChunkSums {
  private let layouts: [SumLayout]
  private let partials: Layers<Matrix<Float>>
  private let words: Matrix<Int64>
  private let chunkBits: Int
  /// The largest entry of a chunk's sum in each block that is measured.
  fileprivate private(set) var largest: [Float]

  fileprivate init(_ layouts: [SumLayout], chunkBits: Int) {
    self.layouts = layouts
    self.chunkBits = chunkBits
    partials = Layers(0..<layouts.count) { i in
      let layout = layouts[i]
      return Matrix(
        rows: paddedRows(max(layout.rows, layout.stackedRows)),
        columns: layout.host == nil ? max(layout.columns, layout.stackedRows) : 0)
    }
    words = Matrix(rows: (layouts.last?.entries.upperBound ?? 0) + layouts.count, columns: 1)
    largest = [Float](repeating: 0, count: layouts.count)
  }

  /// All blocks' entries, then one word a block: how many chunks did not fit on its grid.
  fileprivate var message: Tile<Int64> { words.all }

  fileprivate func forgetLargest() {
    for i in largest.indices { largest[i] = 0 }
  }

  /// Adds a tile to the sums of the chunk at hand. Local.
  ///
  /// - Parameters:
  ///   - a: the tile of a_l, l = 0 … L−1, over a row of ones where there is a bias.
  ///   - z: the tile of z_l, l = 1 … L.
  ///   - meanwhile: called some microseconds apart.
  package func add(a: (Int) -> Tile<Float>, z: (Int) -> Tile<Float>, meanwhile: () -> Void = {}) {
    for (i, layout) in layouts.enumerated() where layout.host == nil {
      if layout.stackedRows > 0, case .gram(let l) = layout.kind {
        let (sum, tile) = (partials[i].all, a(l))
        addGram(
          Tile(base: sum.base, rows: layout.stackedRows, columns: layout.stackedRows, stride: sum.stride),
          of: Tile(base: tile.base, rows: layout.stackedRows, columns: tile.columns, stride: tile.stride),
          meanwhile: meanwhile)
        continue
      }
      let sum = partials[i].rows(0..<layout.rows)
      switch layout.kind {
      case .gram(let l): addGram(sum, of: a(l), meanwhile: meanwhile)
      case .product(let l) where layout.isTransposed:
        addProduct(sum, a(l - 1), transposed: z(l), meanwhile: meanwhile)
      case .product(let l): addProduct(sum, z(l), transposed: a(l - 1), meanwhile: meanwhile)
      }
    }
  }

  /// Adds the chunk at hand to the message, or measures it where there is no grid, and begins the next. Local.
  fileprivate func close(_ grids: [Int?]) {
    for (i, layout) in layouts.enumerated() {
      let (sum, to) = (self.sum(i), words.base)
      if let exponent = grids[i] {
        let scale = Double(sign: .plus, exponent: exponent, significand: 1)
        var excess: UInt64 = 0
        layout.forEachColumn { j, length, offset in
          excess |= addOnGrid(to + offset, sum.column(j), length, scale: scale, bits: chunkBits)
        }
        if excess != 0 { to[words.rows - layouts.count + i] += 1 }
      } else {
        var most = largest[i]
        layout.forEachColumn { j, length, _ in most = largestMagnitude(sum.column(j), length, most) }
        largest[i] = most
      }
    }
    for i in layouts.indices { partials[i].base.update(repeating: 0, count: partials[i].count) }
  }

  /// The sum over the chunk at hand, padded.
  private func sum(_ i: Int) -> Tile<Float> {
    guard let host = layouts[i].host else { return partials[i].all }
    let end = layouts[host].stackedRows
    return partials[host].columns(end - layouts[i].columns..<end)
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
private func bitsOfLargest(_ x: UnsafePointer<Int64>, _ range: Range<Int>) -> Int {
  var all: UInt64 = 0
  for k in range { all |= x[k].magnitude }
  return UInt64.bitWidth - all.leadingZeroBitCount
}
