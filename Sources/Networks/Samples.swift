import LinearAlgebra
import Sums

/// A rank's part of a training set: features over a row of ones, targets, and who owns which samples. It owns them,
/// and lends tiles.
public struct Samples: ~Copyable {
  /// Who owns which samples.
  public let partition: Partition
  /// The global numbers of this rank's samples.
  public let range: Range<Int>
  /// The numbers of the chunks that this rank owns.
  public let chunks: Range<Int>
  private let features: Matrix<Float>
  private var targets: Matrix<Float>

  /// - Parameters:
  ///   - features: (d_0 + 1) × n, a sample a column, the last row all ones.
  ///   - targets: d_L × n.
  ///   - rank: whose part this is.
  public init(
    features: consuming Matrix<Float>, targets: consuming Matrix<Float>, partition: Partition, rank: Int
  ) {
    let (range, chunk) = (partition.range(of: rank), partition.chunk)
    precondition(features.columns == range.count, "\(features.columns) samples of \(range)")
    precondition(targets.columns == range.count, "\(targets.columns) targets of \(range)")
    self.partition = partition
    self.range = range
    chunks = range.isEmpty ? 0..<0 : range.lowerBound / chunk..<(range.upperBound + chunk - 1) / chunk
    self.features = features
    self.targets = targets
  }

  /// d_0.
  public var featureCount: Int { features.rows - 1 }

  /// d_L.
  public var outputs: Int { targets.rows }

  /// n: how many samples this rank has.
  public var count: Int { range.count }

  /// a_0, (d_0 + 1) × n: the features over a row of ones.
  public var a0: Tile<Float> { features.all }

  /// y, d_L × n.
  package var y: Tile<Float> { targets.all }

  /// Takes other targets for the same samples, as another loss wants them. Local.
  public mutating func setTargets(_ targets: consuming Matrix<Float>) {
    precondition(targets.columns == range.count, "\(targets.columns) targets of \(range)")
    self.targets = targets
  }

  /// That these are samples for a network.
  package func check(_ network: Network) {
    precondition(
      featureCount == network.widths[0] && outputs == network.widths[network.L],
      "\(featureCount) features and \(outputs) outputs for widths \(network.widths)")
  }

  /// Goes through some of this rank's chunks, tile by tile; the threads of a team share the chunks. Local.
  ///
  /// - Parameters:
  ///   - chunks: their global numbers.
  ///   - length: the most samples of a tile.
  ///   - body: is given a tile and the number of the thread.
  ///   - endOfChunk: is called after the last tile of each chunk.
  package func forEachTile(
    of chunks: [Int], length: Int, on team: ThreadTeam,
    _ body: (_ tile: SampleTile, _ thread: Int) -> Void, endOfChunk: (_ thread: Int) -> Void
  ) {
    team.run { thread in
      for k in chunks.count * thread / team.count..<chunks.count * (thread + 1) / team.count {
        for columns in Cuts(columns(ofChunk: chunks[k]), length: length) {
          body(tile(columns), thread)
        }
        endOfChunk(thread)
      }
    }
  }

  /// Some of this rank's samples.
  package func tile(_ columns: Range<Int>) -> SampleTile {
    SampleTile(columns: columns, a0: features.columns(columns), y: targets.columns(columns))
  }

  /// The columns of a chunk that this rank owns.
  package func columns(ofChunk k: Int) -> Range<Int> {
    precondition(chunks.contains(k), "chunk \(k) of \(chunks)")
    let first = k * partition.chunk - range.lowerBound
    return first..<min(first + partition.chunk, count)
  }
}

/// Some of a rank's samples, as they are lent: valid while the `Samples` are.
package struct SampleTile {
  /// Which of the rank's samples.
  package let columns: Range<Int>
  /// The columns of a_0, over the row of ones.
  package let a0: Tile<Float>
  /// The columns of y.
  package let y: Tile<Float>
}
