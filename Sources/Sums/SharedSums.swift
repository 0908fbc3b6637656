import Basics
import LinearAlgebra
import MPI

/// The sums over all samples that travel in one reduction: exact, and therefore free of any order.
///
/// A chunk's sums are made in single precision by matrix products, the same on whichever rank and thread. Whole
/// chunks are then added as 64-bit integers on a power-of-two grid that all ranks share, so that neither the order
/// of the chunks nor their distribution over ranks and threads can change a bit. The grid follows the size of the
/// sums of the sweep before: their largest entry gets about 44 bits, which leaves room for growth and rounds far
/// finer than the products did. Sums that leave this range are measured and added anew. algorithm.md §5; Demmel &
/// Nguyen, "Fast reproducible floating-point summation" (2013).
package struct SharedSums: ~Copyable {
  /// What all ranks know of a sum.
  package struct Sum: ~Copyable {
    let layout: SumLayout
    /// The sum over all chunks of all ranks, as last reduced.
    var total: Matrix<Double>
    /// Whether the next pass over the chunks looks for the largest entry of a chunk's sum, and adds nothing.
    var isMeasured = true
    var hasJustBeenMeasured = false
    /// How many bits the total has less than the chunks' sums have, which cancel: those of a gradient near an
    /// optimum.
    var cancelledBits = 0
  }

  private var all: OwnedArray<Sum>
  /// The units of the sums' grids are 2^−exponent; nil while a sum is measured.
  private var grids: [Int?]
  /// The largest entry of any chunk's sum, while the sums are measured. Kept so that a measurement allocates
  /// nothing.
  private var largest: [Float]
  /// A chunk's entries must fit in this many bits, so that all chunks together fit in 62.
  private let chunkBits: Int
  /// For a sum that is zero: so fine that whatever it becomes does not fit, and is measured. Only
  /// entries below 2^−70 do fit.
  private static let gridOfZero = 120
  /// The largest entry of a total gets this many bits. The other six are room to grow from sweep to sweep. Chosen,
  /// not tuned.
  private var targetBits: Int { chunkBits - 6 }
  /// A total whose largest entry has so many bits less is measured anew: of 44 bits 24 are left then, the precision
  /// of the products.
  private static let lostBits = 20
  /// A grid follows what moves by more bits than this: its sums then keep their rounding from sweep to sweep.
  /// Chosen, not tuned.
  private static let restingBits = 8
  /// One a thread.
  package let accumulators: [ChunkSums]
  /// Sums of single numbers that travel in the same message, such as the loss. Whoever adds to them clears them.
  package var scalars: ExactSum

  /// - Parameters:
  ///   - sums: their shapes.
  ///   - partition: how many chunks there are in all.
  ///   - threads: how many threads add chunks.
  ///   - scalars: how many sums of single numbers travel along.
  package init(_ sums: [SumLayout], _ partition: Partition, threads: Int = 1, scalars: Int = 0) {
    let layouts = sums.placed()
    all = OwnedArray(0..<layouts.count) { i in
      Sum(layout: layouts[i], total: Matrix(rows: layouts[i].meantRows, columns: layouts[i].meantColumns))
    }
    grids = [Int?](repeating: nil, count: layouts.count)
    largest = [Float](repeating: 0, count: layouts.count)
    let bits = min(50, 62 - (Int.bitWidth - partition.chunks.leadingZeroBitCount))
    chunkBits = bits
    let words = ExactSum.messageWords(count: scalars) + Notices.count
    accumulators = (0..<threads).map { _ in ChunkSums(layouts, chunkBits: bits, moreWords: words) }
    self.scalars = ExactSum(count: scalars)
  }

  /// Seconds that this rank has spent in reductions, waiting for slower ranks included.
  package private(set) var reducing = 0.0

  /// Seconds that this rank's threads have spent in sums, on average.
  package var summing: Double { accumulators.reduce(0) { $0 + $1.seconds } / Double(accumulators.count) }

  /// Whether the next pass over the chunks only measures sums, to choose grids, and is to be followed by another.
  package var isMeasuring: Bool { grids.contains(nil) }

  /// How many bytes one reduction moves.
  package var bytes: Int { accumulators[0].message.rows * MemoryLayout<Int64>.size }

  /// Ends the chunk at hand of a thread: puts its sums on the grids and adds them to its message. Local; one pass
  /// over the sums. All threads may at the same time: each changes its own accumulator alone.
  package func closeChunk(_ thread: Int = 0) { accumulators[thread].close(grids) }

  /// Adds the threads' and the ranks' messages and reads the totals. Collective; one reduction.
  ///
  /// - Returns: whether every sum lay well on its grid. If not, all chunks must be added anew.
  /// - Throws: `NumericalError.notFinite`, the same on all ranks.
  package mutating func reduce(over ranks: borrowing Communicator) throws -> Bool {
    let start = monotonicSeconds()
    defer { reducing += monotonicSeconds() - start }
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
    let noticesAt = message.base + message.rows - Notices.count
    scalars.write(to: scalarsAt)
    ranks.notices.write(to: noticesAt)
    try ranks.sum(UnsafeMutableBufferPointer(start: message.base, count: message.rows))
    ranks.notices.read(from: noticesAt)
    var isGood = true
    for i in all.indices {
      let bits = bitsOfLargest(message.base, all[i].layout.entries)
      let excess = message.base[accumulators[0].words - all.indices.count + i]
      let isZero = bits == 0 && grids[i] == Self.gridOfZero
      let isCoarse =
        bits < targetBits - all[i].cancelledBits - Self.lostBits && !isZero && !all[i].hasJustBeenMeasured
      if excess != 0 || isCoarse {
        isGood = false
        all[i].isMeasured = true
      }
    }
    if isGood {
      for i in all.indices { readTotal(i, message) }
      scalars.read(from: scalarsAt)
    } else {
      for i in all.indices where all[i].isMeasured { grids[i] = nil }
    }
    for i in all.indices where grids[i] == nil || isGood { all[i].hasJustBeenMeasured = false }
    clear(message)
    return isGood
  }

  /// Forgets what was added and how large sums were: the next pass over the chunks only measures. Local.
  package mutating func forget() {
    for accumulator in accumulators { accumulator.clear() }
    for i in all.indices {
      grids[i] = nil
      (all[i].isMeasured, all[i].hasJustBeenMeasured, all[i].cancelledBits) = (true, false, 0)
    }
  }

  /// What decides how the next sums are rounded: their grids. What was added so far is forgotten when they are read.
  /// Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    var exponents = grids.map { $0 ?? Self.noGrid }
    var cancelled = all.indices.map { all[$0].cancelledBits }
    try state.list("grids", &exponents, count: all.indices.count)
    try state.list("cancelled_bits", &cancelled, count: all.indices.count)
    guard state.isReading else { return }
    forget()
    for i in all.indices where exponents[i] != Self.noGrid {
      grids[i] = exponents[i]
      (all[i].isMeasured, all[i].cancelledBits) = (false, cancelled[i])
    }
  }

  /// How a grid that is still to be chosen is written.
  private static let noGrid = Int.min

  private func clear(_ message: MutableTile<Int64>) {
    message.base.update(repeating: 0, count: message.rows)
  }

  /// The total of sum i over all chunks of all ranks, as last reduced: of a symmetric one the upper triangle.
  package func total(_ i: Int) -> Tile<Double> { all[i].total.all }

  /// Chooses the grids of the measured sums by the largest entry of any chunk's sum. Collective.
  private mutating func setGrids(over ranks: borrowing Communicator) throws {
    for i in all.indices { largest[i] = accumulators.reduce(0) { max($0, $1.largest[i]) } }
    for accumulator in accumulators { accumulator.forgetLargest() }
    try ranks.max(&largest)
    for i in all.indices where all[i].isMeasured {
      guard largest[i].isFinite else {
        throw NumericalError.notFinite(sum: all[i].layout.name)
      }
      grids[i] = largest[i] > 0 ? targetBits - 1 - Int(largest[i].exponent) : Self.gridOfZero
      all[i].isMeasured = false
      all[i].hasJustBeenMeasured = true
    }
  }

  private mutating func readTotal(_ i: Int, _ message: MutableTile<Int64>) {
    guard let exponent = grids[i] else { return }
    let unit = Double(sign: .plus, exponent: -exponent, significand: 1)
    let (layout, total) = (all[i].layout, all[i].total.mutableAll)
    layout.forEachColumn { j, length, offset in
      let (to, from) = (total.base + j * layout.columnStride, message.base + offset)
      if layout.rowStride == 1 {
        for k in 0..<length { to[k] = Double(from[k]) * unit }
      } else {
        for k in 0..<length { to[k * layout.rowStride] = Double(from[k]) * unit }
      }
    }
    let bits = bitsOfLargest(message.base, layout.entries)
    // Just measured, the chunks' sums fill the grid: what the total has less has cancelled. It may later cancel
    // less.
    let missing = max(0, targetBits - bits)
    if all[i].hasJustBeenMeasured || missing < all[i].cancelledBits {
      all[i].cancelledBits = exponent == Self.gridOfZero ? 0 : missing
    }
    // The grid follows only what moves far.
    let finer = targetBits - all[i].cancelledBits - bits
    if bits > 0 && abs(finer) > Self.restingBits { grids[i] = exponent + finer }
  }
}

/// How many bits the largest magnitude has.
private func bitsOfLargest(_ x: UnsafePointer<Int64>, _ range: Range<Int>) -> Int {
  var all: UInt64 = 0
  for k in range { all |= x[k].magnitude }
  return UInt64.bitWidth - all.leadingZeroBitCount
}
