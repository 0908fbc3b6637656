import MPI
import Sums

/// What the columns of a data set are like: one value a feature. NaN entries count as missing and nowhere else.
struct Moments {
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

    var sums = ExactSum(count: 2 * d)
    var partial = [Double](repeating: 0, count: 2 * d)
    for chunk in Swift.stride(from: 0, to: range.count, by: partition.chunk) {
      for k in 0..<2 * d { partial[k] = 0 }
      for i in chunk..<min(chunk + partition.chunk, range.count) {
        let sample = rows + i * stride
        for j in 0..<d {
          let x = sample[j].isNaN ? 0 : Double(sample[j]) - Double(smallest[j])
          partial[j] += x
          partial[d + j] += x * x
        }
      }
      for k in 0..<2 * d { sums.add(partial[k], to: k) }
    }
    try sums.reduce(over: ranks)

    self.counts = counts
    self.smallest = smallest
    self.largest = largest
    means = (0..<d).map { Double(smallest[$0]) + sums[$0] / Double(counts[$0]) }
    variances = (0..<d).map {
      let shift = sums[$0] / Double(counts[$0])
      return smallest[$0] == largest[$0] ? 0 : max(sums[d + $0] / Double(counts[$0]) - shift * shift, 0)
    }
  }
}
