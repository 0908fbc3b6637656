import LinearAlgebra
import MPI

/// One sum over all samples: either a Gram matrix or a product.
package enum SumKind: Equatable, Sendable {
  /// G_l = a_l a_lᵀ; symmetric, so the upper triangle.
  case gram(Int)
  /// S_l = z_l a_{l−1}ᵀ.
  case product(Int)
  /// h'(z_l) x_lᵀ for other inputs x_l than a_{l−1}, of the same shape.
  case slopes(Int)
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
    /// How many bits the total has less than the chunks' sums have, which cancel: those of a gradient near an optimum.
    var cancelledBits = 0
  }

  private var blocks: Layers<Block>
  /// The units of the blocks' grids are 2^−exponent; nil while a block is measured.
  private var grids: [Int?]
  /// A chunk's entries must fit in this many bits, so that all chunks together fit in 62.
  private let chunkBits: Int
  /// For a sum that is zero: so fine that whatever it becomes does not fit, and is measured.
  private static let gridOfZero = 120
  /// The largest entry of a total gets this many bits.
  private var targetBits: Int { chunkBits - 6 }
  /// One a thread.
  package let accumulators: [ChunkSums]
  /// Sums of single numbers that travel in the same message, such as the loss. Whoever adds to them clears them.
  package var scalars: ExactSum

  /// - Parameters:
  ///   - kinds: which sums.
  ///   - network: gives their shapes.
  ///   - partition: how many chunks there are in all.
  ///   - threads: how many threads add chunks.
  ///   - isStacked: whether the tile of a_l has z_{l+1} below its row of ones, in its padding: then z_{l+1} a_lᵀ is made by the
  ///     product a_l a_lᵀ.
  ///   - scalars: how many sums of single numbers travel along.
  package init(
    _ kinds: [SumKind], _ network: Network, _ partition: Partition, threads: Int = 1,
    isStacked: (Int) -> Bool = { _ in false }, scalars: Int = 0
  ) {
    var end = 0
    var layouts: [SumLayout] = []
    for kind in kinds {
      var host: Int? = nil
      if case .product(let l) = kind, l > 1, isStacked(l - 1) {
        host = kinds.firstIndex(of: .gram(l - 1))
        if let host { layouts[host].tileRows = network.widths[l - 1] + 1 + network.widths[l] }
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
    let words = ExactSum.messageWords(count: scalars)
    accumulators = (0..<threads).map { _ in ChunkSums(layouts, chunkBits: bits, moreWords: words) }
    self.scalars = ExactSum(count: scalars)
  }

  /// Whether the next pass over the chunks only measures sums, to choose grids, and is to be followed by another.
  var isMeasuring: Bool { grids.contains(nil) }

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
      clear(message)
      try setGrids(over: ranks)
      return false
    }
    let scalarsAt = message.base + accumulators[0].words
    scalars.write(to: scalarsAt)
    try ranks.sum(UnsafeMutableBufferPointer(start: message.base, count: message.rows))
    var isGood = true
    for i in blocks.indices {
      let bits = bitsOfLargest(message.base, blocks[i].layout.entries)
      let excess = message.base[accumulators[0].words - blocks.indices.count + i]
      let isZero = bits == 0 && grids[i] == Self.gridOfZero
      let isCoarse =
        bits < targetBits - blocks[i].cancelledBits - 20 && !isZero && !blocks[i].hasJustBeenMeasured
      if excess != 0 || isCoarse {
        isGood = false
        blocks[i].isMeasured = true
      }
    }
    if isGood {
      for i in blocks.indices { readTotal(i, message) }
      scalars.read(from: scalarsAt)
    } else {
      for i in blocks.indices where blocks[i].isMeasured { grids[i] = nil }
    }
    for i in blocks.indices where grids[i] == nil || isGood { blocks[i].hasJustBeenMeasured = false }
    clear(message)
    return isGood
  }

  private func clear(_ message: Tile<Int64>) {
    message.base.update(repeating: 0, count: message.rows)
  }

  /// How many samples `take` asks for at a time, at the most.
  package static let takenColumns = 256

  /// Sums over all samples at once. Collective; two reductions or more.
  ///
  /// - Parameters:
  ///   - a: some of this rank's columns of a_l, l = 0 … L−1, over a row of ones where there is a bias. Valid until the next call.
  ///   - z: the same of z_l, l = 1 … L.
  package mutating func take(
    _ partition: Partition, over ranks: borrowing Communicator,
    a: (_ l: Int, _ columns: Range<Int>) -> Tile<Float>, z: (_ l: Int, _ columns: Range<Int>) -> Tile<Float>
  ) throws {
    repeat {
      for chunk in Cuts(0..<partition.range(of: ranks.rank).count, length: partition.chunk) {
        for tile in Cuts(chunk, length: Self.takenColumns) {
          accumulators[0].add(a: { a($0, tile) }, z: { z($0, tile) })
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
      grids[i] = largest[i] > 0 ? targetBits - 1 - Int(largest[i].exponent) : Self.gridOfZero
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
      if layout.rowStride == 1 {
        for k in 0..<length { to[k] = Double(from[k]) * unit }
      } else {
        for k in 0..<length { to[k * layout.rowStride] = Double(from[k]) * unit }
      }
    }
    let bits = bitsOfLargest(message.base, layout.entries)
    // Just measured, the chunks' sums fill the grid: what the total has less has cancelled. It may later cancel less.
    let missing = max(0, targetBits - bits)
    if blocks[i].hasJustBeenMeasured || missing < blocks[i].cancelledBits {
      blocks[i].cancelledBits = exponent == Self.gridOfZero ? 0 : missing
    }
    // The grid follows only what moves far.
    let finer = targetBits - blocks[i].cancelledBits - bits
    if bits > 0 && abs(finer) > 8 { grids[i] = exponent + finer }
  }
}

extension Network {
  /// The sums of a sweep, layer by layer: the Gram matrix of its inputs, which for l = 1 never changes, and its outputs' product with
  /// them.
  var sums: [SumKind] { (1...L).flatMap { l in (l > 1 ? [SumKind.gram(l - 1)] : []) + [.product(l)] } }

  /// How many 64-bit integers a sweep's reduction adds: the entries of its sums, and a word for each of these.
  package var messageWords: Int { sums.reduce(0) { $0 + $1.entryCount(self) + 1 } }
}

extension SumKind {
  var isGram: Bool {
    if case .gram = self { true } else { false }
  }

  func shape(_ network: Network) -> (rows: Int, columns: Int) {
    switch self {
    case .gram(let l): (network.inputs(l + 1), network.inputs(l + 1))
    case .product(let l), .slopes(let l): (network.widths[l], network.inputs(l))
    }
  }

  /// How many entries travel.
  func entryCount(_ network: Network) -> Int {
    let (rows, columns) = shape(network)
    return isGram ? rows * (rows + 1) / 2 : rows * columns
  }

  var description: String {
    switch self {
    case .gram(let l): "a_\(l) a_\(l)ᵀ"
    case .product(let l), .slopes(let l): "z_\(l) a_\(l - 1)ᵀ"
    }
  }
}

/// How many bits the largest magnitude has.
private func bitsOfLargest(_ x: UnsafePointer<Int64>, _ range: Range<Int>) -> Int {
  var all: UInt64 = 0
  for k in range { all |= x[k].magnitude }
  return UInt64.bitWidth - all.leadingZeroBitCount
}
