import LinearAlgebra

/// How a sum is computed and where it lies in the message.
package struct SumLayout: Sendable {
  /// Which sum.
  package let kind: SumKind
  /// The sum as it is computed, before padding: whole vectors run down its columns. A product may be computed transposed.
  let rows, columns: Int
  let isTransposed: Bool
  let activation: Activation
  /// Of a product z_l a_{l−1}ᵀ: the Gram matrix that it is computed with, as its last columns.
  let host: Int?
  /// Of a Gram matrix: how many rows the tile has, those of z_{l+1} included if they are stacked below a_l; else 0.
  var tileRows: Int
  /// Where its entries lie in the message, column by column; of a Gram matrix those of the upper triangle.
  let entries: Range<Int>

  init(_ kind: SumKind, _ network: Network, start: Int, host: Int?) {
    let (rows, columns) = kind.shape(network)
    self.kind = kind
    self.host = host
    activation = network.activation
    if case .product = kind {
      isTransposed = host != nil || Self.isTransposed(rows: rows, columns: columns)
    } else {
      isTransposed = false
    }
    self.rows = isTransposed ? columns : rows
    self.columns = isTransposed ? rows : columns
    entries = start..<start + kind.entryCount(network)
    tileRows = kind.isGram ? rows : 0
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
  private let buffer: Matrix<Int64>
  private let chunkBits: Int
  /// How many words of the message the sums take.
  let words: Int
  /// The largest entry of a chunk's sum in each block that is measured.
  private(set) var largest: [Float]

  /// - Parameter moreWords: how many words the message has for others.
  init(_ layouts: [SumLayout], chunkBits: Int, moreWords: Int) {
    self.layouts = layouts
    self.chunkBits = chunkBits
    partials = Layers(0..<layouts.count) { i in
      let layout = layouts[i]
      return Matrix(
        rows: paddedRows(max(layout.rows, layout.tileRows)),
        columns: layout.host == nil ? max(layout.columns, layout.tileRows) : 0)
    }
    words = (layouts.last?.entries.upperBound ?? 0) + layouts.count
    buffer = Matrix(rows: words + moreWords, columns: 1)
    largest = [Float](repeating: 0, count: layouts.count)
  }

  /// All blocks' entries, then one word a block: how many chunks did not fit on its grid; then what others add.
  var message: Tile<Int64> { buffer.all }

  func forgetLargest() {
    for i in largest.indices { largest[i] = 0 }
  }

  /// Adds a tile to the sums of the chunk at hand. Local.
  ///
  /// - Parameters:
  ///   - a: the tile of a_l, l = 0 … L−1, over a row of ones where there is a bias.
  ///   - z: the tile of z_l, l = 1 … L; of x_l for `SumKind.slopes`.
  ///   - meanwhile: called some microseconds apart.
  package func add(a: (Int) -> Tile<Float>, z: (Int) -> Tile<Float>, meanwhile: () -> Void = {}) {
    for (i, layout) in layouts.enumerated() where layout.host == nil {
      let sum = partials[i].rows(0..<max(layout.rows, layout.tileRows))
      switch layout.kind {
      case .gram(let l):
        let active = a(l)
        addGram(
          sum,
          of: Tile(base: active.base, rows: layout.tileRows, columns: active.columns, stride: active.stride),
          meanwhile: meanwhile)
      case .product(let l) where layout.isTransposed:
        addProduct(sum, a(l - 1), transposed: z(l), meanwhile: meanwhile)
      case .product(let l): addProduct(sum, z(l), transposed: a(l - 1), meanwhile: meanwhile)
      case .slopes(let l):
        layout.activation.addSlopes(sum, a: a(l).rows(0..<layout.rows), z(l), meanwhile: meanwhile)
      }
    }
  }

  /// Adds the chunk at hand to the message, or measures it where there is no grid, and begins the next. Local.
  func close(_ grids: [Int?]) {
    for (i, layout) in layouts.enumerated() {
      let (sum, to) = (self.sum(i), buffer.base)
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
    for i in layouts.indices { partials[i].base.update(repeating: 0, count: partials[i].count) }
  }

  /// The sum over the chunk at hand, padded.
  private func sum(_ i: Int) -> Tile<Float> {
    guard let host = layouts[i].host else { return partials[i].all }
    let end = layouts[host].tileRows
    return partials[host].columns(end - layouts[i].columns..<end)
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
