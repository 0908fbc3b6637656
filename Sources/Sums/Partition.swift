/// Which samples each rank owns: consecutive ones, in whole chunks.
///
/// Samples 0 ..< `samples` are cut into chunks of `chunk` consecutive samples by global index (the last may be
/// shorter), and rank r of R owns chunks r·C/R ..< (r+1)·C/R. A chunk never straddles two ranks, so its partial sums
/// come from the same calls whatever the number of ranks: the first half of what makes a run's bits independent of
/// it (algorithm.md §5).
public struct Partition: Equatable, Sendable {
  /// N: how many samples there are on all ranks together.
  public let samples: Int
  /// Samples a chunk.
  public let chunk: Int
  /// R: how many ranks share them. More than there are chunks is legal; some then own none.
  public let ranks: Int

  /// - Parameter chunk: samples a chunk; `nil` chooses by `samples` alone (see `defaultChunk`).
  public init(samples: Int, ranks: Int, chunk: Int? = nil) {
    let chunk = chunk ?? Self.defaultChunk(samples: samples)
    precondition(samples >= 0 && ranks > 0 && chunk > 0, "\(samples) samples, \(ranks) ranks, chunk \(chunk)")
    self.samples = samples
    self.chunk = chunk
    self.ranks = ranks
  }

  /// The largest power of two that cuts `samples` into at least 64 chunks, from 1 to 2,048.
  ///
  /// Large chunks make fast matrix products and rare flushes into the exact sums; many chunks balance the ranks.
  public static func defaultChunk(samples: Int) -> Int {
    var chunk = 1
    while chunk < 2048 && chunk * 2 * 64 <= samples { chunk *= 2 }
    return chunk
  }

  /// C: how many chunks there are.
  public var chunks: Int { (samples + chunk - 1) / chunk }

  /// The global indices of the samples that `rank` owns; may be empty.
  public func range(of rank: Int) -> Range<Int> {
    start(of: rank)..<start(of: rank + 1)
  }

  private func start(of rank: Int) -> Int {
    let (whole, rest) = chunks.quotientAndRemainder(dividingBy: ranks)
    // floor(rank · C / R) without the overflow of rank · C.
    return min((rank * whole + rank * rest / ranks) * chunk, samples)
  }
}
