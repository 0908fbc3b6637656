import LinearAlgebra

/// The samples of one step: some of the chunks, the same ones for any number of ranks.
///
/// The chunks are cut into as many strata of neighbours as a batch has chunks, and a batch takes one chunk from
/// each, so that it is spread over the whole data set and over the ranks. In each pass every stratum is rotated by a
/// number of its own, drawn from the seed: the batches of a pass are disjoint, cover everything, and differ from
/// pass to pass.
package struct Batch: Equatable, Sendable {
  /// How many batches a pass has.
  package let count: Int
  /// Which of them, 0 ..< count.
  package let index: Int
  /// Which pass over the data.
  package let pass: Int
  package let seed: UInt64

  /// All samples.
  package static let whole = Batch(count: 1, index: 0, pass: 0, seed: 0)

  package init(count: Int, index: Int, pass: Int, seed: UInt64) {
    precondition(index >= 0 && index < count, "batch \(index) of \(count)")
    self.count = count
    self.index = index
    self.pass = pass
    self.seed = seed
  }

  /// The most batches of at least `samples` samples (less a chunk's rounding) that the chunks can be cut into.
  package static func count(ofAtLeast samples: Int, _ partition: Partition) -> Int {
    let chunks = max(1, (samples + partition.chunk - 1) / partition.chunk)
    return max(1, partition.chunks / chunks)
  }

  /// Calls `body` with the global number of each chunk, in order.
  package func forEachChunk(of partition: Partition, _ body: (Int) -> Void) {
    guard count > 1 else { return (0..<partition.chunks).forEach(body) }
    let random = Philox(seed: seed, stream: UInt32(1 << 17))
    var stratum = 0
    for first in stride(from: 0, to: partition.chunks, by: count) {
      let rotation = Int(random.words(pass, stratum)[0]) % count
      let chunk = first + (index + rotation) % count
      if chunk < partition.chunks { body(chunk) }
      stratum += 1
    }
  }

  /// How many samples the batch has on all ranks.
  package func samples(of partition: Partition) -> Int {
    guard count > 1 else { return partition.samples }
    var samples = 0
    forEachChunk(of: partition) {
      samples += min(partition.chunk, partition.samples - $0 * partition.chunk)
    }
    return samples
  }
}
