import Basics
import LinearAlgebra
import MPI
import Sums

/// What the columns of a data set are like: one value a feature. NaN entries count as missing and nowhere else.
struct Moments {
  /// Columns that are summed at a time: what bounds the memory for it.
  private static let block = 1 << 16

  /// How many entries are not missing.
  private(set) var counts: [Int]
  /// The smallest and the largest entry; +∞ and −∞ where all are missing.
  private(set) var smallest: [Float]
  private(set) var largest: [Float]
  /// Means; NaN where all entries are missing.
  private(set) var means: [Double]
  /// Mean squared distances from the mean (the divisor is the count); exactly 0 for a constant column.
  private(set) var variances: [Double]

  /// One pass for the range, one for the sums. Collective.
  ///
  /// The sums are those of x − p and (x − p)² with p the column's smallest entry: no cancellation where the mean is
  /// far from 0, and 0 for a constant column. Partial sums over the fixed chunks of the partition, added exactly:
  /// the same bits for any number of ranks.
  init(of dataset: borrowing Dataset, over ranks: borrowing Communicator) throws {
    try self.init(
      rows: dataset.features.base, stride: dataset.features.rows, d: dataset.featureCount,
      partition: dataset.partition, range: dataset.range, over: ranks)
  }

  /// - Parameters:
  ///   - rows: entry j of the i-th own sample lies at `i * stride + j`.
  ///   - range: this rank's samples; whole chunks of `partition`.
  init(
    rows: UnsafePointer<Float>, stride: Int, d: Int, partition: Partition, range: Range<Int>,
    over ranks: borrowing Communicator
  ) throws {
    var counts = [Int](repeating: 0, count: d)
    var smallest = [Float](repeating: .infinity, count: d)
    var largest = [Float](repeating: -.infinity, count: d)
    for i in 0..<range.count {
      let sample = rows + i * stride
      for j in 0..<d {
        let x = sample[j]
        guard !x.isNaN else { continue }
        counts[j] += 1
        smallest[j] = min(smallest[j], x)
        largest[j] = max(largest[j], x)
      }
    }
    try ranks.sum(&counts)
    try ranks.min(&smallest)
    try ranks.max(&largest)

    var sums = [Double](repeating: 0, count: 2 * d)
    for first in Swift.stride(from: 0, to: d, by: Self.block) {
      let block = first..<min(first + Self.block, d)
      let exact = try Self.sums(
        of: block, pivots: smallest, rows: rows, stride: stride, partition: partition, range: range,
        over: ranks)
      for j in block {
        sums[j] = exact[j - first]
        sums[d + j] = exact[block.count + j - first]
      }
    }

    self.counts = counts
    self.smallest = smallest
    self.largest = largest
    means = (0..<d).map { Double(smallest[$0]) + sums[$0] / Double(counts[$0]) }
    variances = (0..<d).map {
      let shift = sums[$0] / Double(counts[$0])
      return smallest[$0] == largest[$0] ? 0 : max(sums[d + $0] / Double(counts[$0]) - shift * shift, 0)
    }
  }

  /// Σ (x − p) of some columns, then their Σ (x − p)²: partial sums over chunks, added exactly. Collective.
  private static func sums(
    of columns: Range<Int>, pivots: [Float], rows: UnsafePointer<Float>, stride: Int, partition: Partition,
    range: Range<Int>, over ranks: borrowing Communicator
  ) throws -> ExactSum {
    let d = columns.count
    var sums = ExactSum(count: 2 * d)
    var partial = [Double](repeating: 0, count: 2 * d)
    for chunk in Swift.stride(from: 0, to: range.count, by: partition.chunk) {
      for k in 0..<2 * d { partial[k] = 0 }
      for i in chunk..<min(chunk + partition.chunk, range.count) {
        let sample = rows + i * stride + columns.lowerBound
        for j in 0..<d {
          let x = sample[j].isNaN ? 0 : Double(sample[j]) - Double(pivots[columns.lowerBound + j])
          partial[j] += x
          partial[d + j] += x * x
        }
      }
      for k in 0..<2 * d { sums.add(partial[k], to: k) }
    }
    try sums.reduce(over: ranks)
    return sums
  }
}

extension Moments {
  /// Of the targets of a regression, as the only column. Collective.
  ///
  /// - Precondition: the data set has targets.
  init(ofTargets dataset: borrowing Dataset, over ranks: borrowing Communicator) throws {
    guard case .targets(let targets) = dataset.labels else {
      preconditionFailure("a data set without targets has no moments of them")
    }
    let column = Matrix(rows: 1, targets)
    try self.init(
      rows: column.base, stride: 1, d: 1, partition: dataset.partition, range: dataset.range, over: ranks)
  }

  /// Mean and standard deviation of a column in single precision; 1 for the deviation of a constant one.
  ///
  /// - Parameter name: what the column is called in messages.
  /// - Throws: a shared `Failure` where differences of the column's values are too large for single precision.
  func scale(_ j: Int, _ name: String) throws -> (mean: Float, deviation: Float) {
    guard counts[j] == 0 || (largest[j] - smallest[j]).isFinite else {
      throw Failure(
        .badData,
        "\(name) can't be standardised: it ranges from \(smallest[j]) to \(largest[j]), more than single "
          + "precision holds. Rescale it in the file.", isShared: true)
    }
    let deviation = Float(variances[j].squareRoot())
    return (Float(means[j]), deviation > 0 ? deviation : 1)
  }

  /// A warning of a column whose mean or deviation single precision can't represent, so close do its values lie.
  func warning(_ j: Int, _ name: String) -> String? {
    let deviation = variances[j].squareRoot()
    guard counts[j] > 0, smallest[j] < largest[j] else { return nil }
    let error = max(abs(Double(Float(means[j])) - means[j]), abs(Double(Float(deviation)) - deviation))
    guard error > deviation / 16 else { return nil }
    let step = max(abs(smallest[j]), abs(largest[j])).ulp
    return "\(name) ranges from \(smallest[j]) to \(largest[j]), where single precision goes by steps of "
      + "\(step): too coarse to standardise it well. Subtract a constant from it, or rescale it, in the file."
  }
}
