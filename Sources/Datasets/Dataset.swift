import Basics
import LinearAlgebra
import MPI
import Sums

/// The labels of a rank's own samples, in their order.
public enum Labels: Sendable, Equatable {
  /// `codes[i]` in `0 ..< names.count`. `names` is the same on every rank: in the order of the numbers if all are
  /// numbers, else sorted, unless the caller gave an order.
  case classes(codes: [Int32], names: [String])
  /// Regression targets.
  case targets([Float])
  /// The file has no labels.
  case none
}

/// A data set as the job holds it: each rank its own consecutive columns.
@frozen
public struct Dataset: ~Copyable {
  /// Who owns which global samples.
  public let partition: Partition
  /// The global indices of this rank's samples.
  public let range: Range<Int>
  /// (d + 1) × n: a sample a column; the last row is all ones, the input of the bias. n = `range.count` may be 0.
  public var features: Matrix<Float>
  /// The labels of this rank's samples.
  public var labels: Labels
  /// d names, the same on every rank: the header's, or x1, x2, …
  public internal(set) var featureNames: [String]
  /// What the file itself calls its columns.
  public internal(set) var columns = ColumnNames()
  /// Where the file has the labels; `nil` where there is no more to say of it.
  public internal(set) var labelSource: LabelSource? = nil
  /// The columns of the file that lose much in single precision.
  public internal(set) var merged: [MergedColumn] = []

  /// d: how many features a sample has.
  public var featureCount: Int { featureNames.count }

  /// - Precondition: the shapes fit.
  public init(
    partition: Partition, range: Range<Int>, features: consuming Matrix<Float>, labels: Labels,
    featureNames: [String]
  ) {
    precondition(
      features.rows == featureNames.count + 1 && features.columns == range.count,
      "\(features.rows) × \(features.columns) for \(featureNames.count) features of samples \(range)")
    self.partition = partition
    self.range = range
    self.features = features
    self.labels = labels
    self.featureNames = featureNames
  }
}

/// A data set in two parts.
@frozen
public struct Split: ~Copyable {
  public var training: Dataset
  public var validation: Dataset
}

extension Dataset {
  /// Divides the samples at random, each by its own global index: the same division for any number of ranks.
  ///
  /// Sample n goes to validation if u(seed, n) < `fraction` for a uniform u in [0, 1). Both parts are shared out
  /// anew, by chunks of `chunk` samples. Collective; takes as much memory again as the data set.
  ///
  /// - Throws: a shared `Failure` where one part would be empty.
  public func split(
    fraction: Double, seed: UInt64, chunk: Int? = nil, over ranks: borrowing Communicator
  ) throws -> Split {
    // "spli": a stream of random numbers that nothing else uses.
    let random = Philox(seed: seed, stream: 0x7370_6C69)
    let isValidation = range.map { random.uniform(0, $0) < fraction }
    let count = try ranks.sum(isValidation.count { $0 })
    guard count > 0 && count < partition.samples else {
      throw Failure(
        .badConfiguration,
        "A validation fraction of \(fraction) of \(partition.samples) samples puts \(count) of them into "
          + "validation. Both parts need samples: choose another fraction.", isShared: true)
    }
    return Split(
      training: try subset(chunk: chunk, over: ranks) { !isValidation[$0] },
      validation: try subset(chunk: chunk, over: ranks) { isValidation[$0] })
  }

  /// The samples for which `isKept` of the local index holds, shared out anew. Collective.
  func subset(
    chunk: Int?, over ranks: borrowing Communicator, where isKept: (Int) -> Bool
  ) throws -> Dataset {
    var parcels: [Parcel] = []
    var parcel = Parcel(order: Parcel.order(rank: ranks.rank, index: 0))
    for i in range.indices.map({ $0 - range.lowerBound }) where isKept(i) {
      parcel.features.append(contentsOf: features.columns(i..<i + 1).entries.prefix(featureCount))
      switch labels {
      case .classes(let codes, _): parcel.codes.append(codes[i])
      case .targets(let targets): parcel.targets.append(targets[i])
      case .none: break
      }
      parcel.count += 1
      if parcel.features.count >= Parcel.limit {
        parcels.append(parcel)
        parcel = Parcel(order: Parcel.order(rank: ranks.rank, index: parcels.count))
      }
    }
    if parcel.count > 0 { parcels.append(parcel) }
    let kind: Parcel.LabelKind =
      switch labels {
      case .classes(_, let names): .classes(names)
      case .targets: .targets
      case .none: .none
      }
    return try distribute(&parcels, featureNames: featureNames, labels: kind, chunk: chunk, over: ranks)
  }
}

extension Tile<Float> {
  /// The entries of a tile of one column.
  fileprivate var entries: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: base, count: rows)
  }
}
