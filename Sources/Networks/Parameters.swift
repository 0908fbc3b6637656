import LinearAlgebra
import MPI

// All weights as one flat column of numbers: what optimisation methods add, scale and compare. The same bits on
// every rank.

extension Network {
  /// How many numbers all W_l have together, bias columns included even where they are not trained: those stay 0.
  package var flatCount: Int { (1...L).reduce(0) { $0 + widths[$1] * (widths[$1 - 1] + 1) } }

  /// The weight of ½ Σ ‖V_l‖² beside the mean loss that is a prior of this precision on the weights, however many
  /// samples there are: precision / N. Classes count as 10,000 samples at least: what tells a few hundred of them apart
  /// are weights that such a prior would not let grow.
  package func priorL2(_ precision: Double, samples: Int) -> Double {
    precision / Double(max(samples, loss.isForRegression ? 1 : 10_000))
  }

  /// The bytes of y, of so many columns of all weights, and of their sums and systems, on a rank with so many samples.
  package func stateBytes(samples: Int, columns: Int, threads: Int) -> Double {
    let numbers = Double(widths[L]) * Double(samples) + Double(columns) * Double(flatCount)
    return Double(MemoryLayout<Float>.size) * numbers + systemBytes(threads: threads)
  }

  /// W_l, d_l × (d_{l−1} + 1), as it lies in a flat column of all weights.
  package func parameters(_ l: Int, of flat: borrowing Matrix<Float>) -> Tile<Float> {
    let first = (1..<l).reduce(0) { $0 + widths[$1] * (widths[$1 - 1] + 1) }
    return Tile(
      base: flat.base + first, rows: widths[l], columns: widths[l - 1] + 1, stride: widths[l])
  }

  /// W_l in a flat column of all weights, to be written.
  package func mutableParameters(_ l: Int, of flat: inout Matrix<Float>) -> MutableTile<Float> {
    let base = flat.mutableBase
    let tile = parameters(l, of: flat)
    return MutableTile(
      base: base + (tile.base - UnsafePointer(base)), rows: tile.rows, columns: tile.columns,
      stride: tile.stride)
  }

  /// A flat column of zeros for all weights.
  package func flatZeros() -> Matrix<Float> { Matrix(rows: flatCount, columns: 1) }

  /// A flat column with the entries of W_1 … W_L.
  package func flat(_ W: borrowing Layers<Matrix<Float>>) -> Matrix<Float> {
    var flat = flatZeros()
    for l in 1...L { mutableParameters(l, of: &flat).base.update(from: W[l].base, count: W[l].count) }
    return flat
  }

  /// Overwrites W_1 … W_L by the entries of a flat column.
  package func assign(_ W: inout Layers<Matrix<Float>>, _ flat: borrowing Matrix<Float>) {
    for l in 1...L { W[l].mutableBase.update(from: parameters(l, of: flat).base, count: W[l].count) }
  }
}

extension Matrix where Element == Float {
  /// Every rank gets rank 0's entries. Collective.
  package mutating func takeEntriesOfRoot(over ranks: borrowing Communicator) throws {
    var entries = Array(elements)
    try ranks.broadcast(&entries)
    mutableBase.update(from: entries, count: count)
  }

  /// xᵀ y, in double precision, always in the same order.
  package func dot(_ other: borrowing Matrix<Float>) -> Double {
    precondition(count == other.count, "\(count) numbers times \(other.count)")
    return Networks.dot(base, other.base, count)
  }

  /// x ← x + s y
  package mutating func add(_ s: Float, _ other: borrowing Matrix<Float>) {
    precondition(count == other.count, "\(count) numbers plus \(other.count)")
    let (x, y) = (mutableBase, other.base)
    for k in 0..<count { x[k] += s * y[k] }
  }

  /// x ← s x
  package mutating func scale(_ s: Float) {
    let x = mutableBase
    for k in 0..<count { x[k] *= s }
  }

  /// x ← y − z
  package mutating func assign(_ y: borrowing Matrix<Float>, minus z: borrowing Matrix<Float>) {
    precondition(count == y.count && count == z.count, "\(y.count) numbers minus \(z.count)")
    let x = mutableBase
    for k in 0..<count { x[k] = y.base[k] - z.base[k] }
  }

  /// x ← x + s (y − x)
  package mutating func move(_ s: Float, towards y: borrowing Matrix<Float>) {
    precondition(count == y.count, "\(count) numbers towards \(y.count)")
    let (x, y) = (mutableBase, y.base)
    for k in 0..<count { x[k] += s * (y[k] - x[k]) }
  }

  /// Whether every entry is a finite number.
  package var isFinite: Bool { dot(self).isFinite }
}

/// xᵀ y of single-precision numbers, in double precision, always in the same order.
func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) -> Double {
  var sums = SIMD8<Double>.zero
  let whole = count & ~7
  for k in stride(from: 0, to: whole, by: 8) {
    let a = UnsafeRawPointer(x + k).loadUnaligned(as: SIMD8<Float>.self)
    let b = UnsafeRawPointer(y + k).loadUnaligned(as: SIMD8<Float>.self)
    sums += SIMD8<Double>(a) * SIMD8<Double>(b)
  }
  var total = sums.sum()
  for k in whole..<count { total += Double(x[k]) * Double(y[k]) }
  return total
}
