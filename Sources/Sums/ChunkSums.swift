import LinearAlgebra

/// The sums of one thread: those over the chunk at hand, and those over its chunks so far.
package final class ChunkSums {
  private let layouts: [SumLayout]
  private var partials: OwnedArray<Matrix<Float>>
  private var buffer: Matrix<Int64>
  private let chunkBits: Int
  /// How many words of the message the sums take.
  let words: Int
  /// The largest entry of a chunk's sum of each sum that is measured.
  private(set) var largest: [Float]

  /// - Parameter moreWords: how many words the message has for others.
  init(_ layouts: [SumLayout], chunkBits: Int, moreWords: Int) {
    self.layouts = layouts
    self.chunkBits = chunkBits
    partials = OwnedArray(0..<layouts.count) { i in
      let layout = layouts[i]
      return Matrix(rows: paddedRows(layout.computedRows), columns: layout.computedColumns)
    }
    words = (layouts.last?.entries.upperBound ?? 0) + layouts.count
    buffer = Matrix(rows: words + moreWords, columns: 1)
    largest = [Float](repeating: 0, count: layouts.count)
  }

  /// All sums' entries, then one word a sum: how many chunks did not fit on its grid; then what others add.
  var message: MutableTile<Int64> { buffer.mutableAll }

  func forgetLargest() {
    for i in largest.indices { largest[i] = 0 }
  }

  /// Forgets all that was added and measured. Local.
  func clear() {
    buffer.fill(0)
    for i in layouts.indices { partials[i].fill(0) }
    forgetLargest()
  }

  /// The sum over the chunk at hand, to be added to: `computedRows` × `computedColumns`, padded. Not of a guest.
  package func partial(_ i: Int) -> MutableTile<Float> {
    partials[i].mutableRows(0..<layouts[i].computedRows)
  }

  /// Seconds that this thread has spent in sums.
  package var seconds = 0.0

  /// Adds the chunk at hand to the message, or measures it where there is no grid, and begins the next. Local.
  func close(_ grids: [Int?]) {
    for (i, layout) in layouts.enumerated() {
      let (sum, to) = (self.sum(i), buffer.mutableBase)
      if let exponent = grids[i] {
        let scale = Double(sign: .plus, exponent: exponent, significand: 1)
        var excess: UInt64 = 0
        layout.forEachColumn { j, length, offset in
          excess |= addOnGrid(to + offset, sum.column(j), length, scale: scale, bits: chunkBits)
        }
        if excess != 0 { to[words - layouts.count + i] += 1 }
      } else {
        var most = largest[i]
        layout.forEachColumn { j, length, _ in most = largestMagnitude(sum.column(j), length, most) }
        largest[i] = most
      }
    }
    for i in layouts.indices { partials[i].fill(0) }
  }

  /// The sum over the chunk at hand, padded.
  private func sum(_ i: Int) -> Tile<Float> {
    guard let host = layouts[i].host else { return partials[i].all }
    let end = layouts[host].computedColumns
    return partials[host].columns(end - layouts[i].columns..<end)
  }
}

/// to ← to + round(x · scale), as integers. Returns 0 if every addend has at most `bits` bits.
///
/// Adding 1.5 · 2^52 to a double leaves its value, rounded to a whole number, in the low bits: a conversion that
/// vectorises.
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
