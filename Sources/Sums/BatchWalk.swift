/// The way over the data, batch by batch and pass by pass: which batches make the next sweep. The same on every
/// rank.
package struct BatchWalk: Sendable {
  package let partition: Partition
  /// How many batches a pass has. A change begins a pass.
  package var batches: Int { didSet { index = 0 } }
  private let seed: UInt64
  /// Which batch comes next, and in which pass.
  private var index = 0
  private var passes = 0
  /// How many samples a sweep visits: it grows until it is all.
  private var sweepSamples: Int
  /// How many of them are left in the sweep at hand.
  private var rest = 0

  /// How many times as many samples each sweep visits, until it is all of them: the log shows early thresholds, and a
  /// sixteenth is a whole pass after eleven sweeps. Chosen, not tuned.
  private static let growth = 1.3

  /// - Parameters:
  ///   - firstSweep: how many samples the first sweep visits; nil is all.
  package init(_ partition: Partition, batches: Int, firstSweep: Int? = nil, seed: UInt64) {
    self.partition = partition
    self.batches = batches
    self.seed = seed
    sweepSamples = min(firstSweep ?? partition.samples, partition.samples)
  }

  /// Where the walk is. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    var (batches, index) = (batches, index)
    try state("batches", &batches)
    try state("index", &index)
    try state("passes", &passes)
    try state("sweep_samples", &sweepSamples)
    (self.batches, self.index) = (batches, index)
  }

  /// Whether the next sweep visits as many samples as there are.
  package var isWholePass: Bool { sweepSamples == partition.samples }

  /// Begins a sweep, whose batches `next` gives.
  package mutating func beginSweep() {
    rest = sweepSamples
    sweepSamples = min(max(Int(Self.growth * Double(sweepSamples)), sweepSamples + 1), partition.samples)
  }

  /// The next batch of the sweep; nil at its end.
  package mutating func next() -> Batch? {
    guard rest > 0 else { return nil }
    let batch = Batch(count: batches, index: index, pass: passes, seed: seed)
    rest -= batch.samples(of: partition)
    index += 1
    if index == batches { (index, passes) = (0, passes + 1) }
    return batch
  }
}
