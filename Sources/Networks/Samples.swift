import LinearAlgebra
import Sums

/// A rank's part of a training set: features over a row of ones, targets, and who owns which samples. It owns them, and lends tiles.
public struct Samples: ~Copyable {
  /// Who owns which samples.
  public let partition: Partition
  /// The global numbers of this rank's samples.
  public let range: Range<Int>
  private let features: Matrix<Float>
  private var targets: Matrix<Float>

  /// - Parameters:
  ///   - features: (d_0 + 1) × n, a sample a column, the last row all ones.
  ///   - targets: d_L × n.
  ///   - rank: whose part this is.
  public init(
    features: consuming Matrix<Float>, targets: consuming Matrix<Float>, partition: Partition, rank: Int
  ) {
    let range = partition.range(of: rank)
    precondition(features.columns == range.count, "\(features.columns) samples of \(range)")
    precondition(targets.columns == range.count, "\(targets.columns) targets of \(range)")
    self.partition = partition
    self.range = range
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
  public var y: Tile<Float> { targets.all }

  /// Takes other targets for the same samples, as another loss wants them. Local.
  public mutating func setTargets(_ targets: consuming Matrix<Float>) {
    precondition(targets.columns == range.count, "\(targets.columns) targets of \(range)")
    self.targets = targets
  }
}
