import LinearAlgebra
import MPI

/// The samples of one step: some of the chunks, the same ones for any number of ranks.
///
/// The chunks are cut into as many strata of neighbours as a block has chunks, and a block takes one chunk from each, so that it is
/// spread over the whole data set and over the ranks. In each pass every stratum is rotated by a number of its own, drawn from the seed: the
/// blocks of a pass are disjoint, cover everything, and differ from pass to pass.
package struct Block: Equatable, Sendable {
  /// How many blocks a pass has.
  package let count: Int
  /// Which of them, 0 ..< count.
  package let index: Int
  /// Which pass over the data.
  package let pass: Int
  package let seed: UInt64

  /// All samples.
  package static let whole = Block(count: 1, index: 0, pass: 0, seed: 0)

  package init(count: Int, index: Int, pass: Int, seed: UInt64) {
    precondition(index >= 0 && index < count, "block \(index) of \(count)")
    self.count = count
    self.index = index
    self.pass = pass
    self.seed = seed
  }

  /// The most blocks of at least `samples` samples (less a chunk's rounding) that the chunks can be cut into.
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

  /// How many samples the block has on all ranks.
  package func samples(of partition: Partition) -> Int {
    guard count > 1 else { return partition.samples }
    var samples = 0
    forEachChunk(of: partition) {
      samples += min(partition.chunk, partition.samples - $0 * partition.chunk)
    }
    return samples
  }
}

/// The way over the data, block by block and pass by pass: which blocks make the next sweep. The same on every rank.
package struct BlockWalk: Sendable {
  package let partition: Partition
  /// How many blocks a pass has. A change begins a pass.
  package var blocks: Int { didSet { index = 0 } }
  private let seed: UInt64
  /// Which block comes next, and in which pass.
  private var index = 0
  private var passes = 0
  /// How many samples the next sweep visits: it grows until it is all.
  private var sweepSamples: Int

  private static let growth = 1.3

  /// - Parameters:
  ///   - firstSweep: how many samples the first sweep visits; nil is all.
  package init(_ partition: Partition, blocks: Int, firstSweep: Int? = nil, seed: UInt64) {
    self.partition = partition
    self.blocks = blocks
    self.seed = seed
    sweepSamples = min(firstSweep ?? partition.samples, partition.samples)
  }

  /// Whether the next sweep visits as many samples as there are.
  package var isWholePass: Bool { sweepSamples == partition.samples }

  /// The blocks of the next sweep, in their order.
  package mutating func nextSweep() -> [Block] {
    var sweep: [Block] = []
    var visited = 0
    while visited < sweepSamples {
      let block = Block(count: blocks, index: index, pass: passes, seed: seed)
      visited += block.samples(of: partition)
      sweep.append(block)
      index += 1
      if index == blocks { (index, passes) = (0, passes + 1) }
    }
    sweepSamples = min(max(Int(Self.growth * Double(sweepSamples)), sweepSamples + 1), partition.samples)
    return sweep
  }
}
