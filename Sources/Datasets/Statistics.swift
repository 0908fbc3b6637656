import MPI

/// A data set in numbers: what `describe` prints.
public struct Statistics: Sendable, Equatable {
  /// One column: a feature, or the targets.
  public struct Column: Sendable, Equatable {
    public let name: String
    /// The range; NaN where all values are missing.
    public let smallest: Float
    public let largest: Float
    public let mean: Double
    /// With the divisor N.
    public let standardDeviation: Double
    /// How many values are empty or not finite.
    public let missing: Int
    /// Whether all values that are there are equal.
    public var isConstant: Bool { !(smallest < largest) }
  }

  /// One class.
  public struct Class: Sendable, Equatable {
    public let name: String
    /// How many samples have it.
    public let count: Int
  }

  /// N.
  public let samples: Int
  /// The d features.
  public let columns: [Column]
  /// The classes in the order of their codes; empty for other labels.
  public let classes: [Class]
  /// The regression targets; `nil` for other labels.
  public let target: Column?

  /// Counts and sums over all ranks. Collective; the same bits for any number of ranks.
  ///
  /// Read the data set with `missing: .keepNaN` to have missing values counted.
  public init(of dataset: borrowing Dataset, over ranks: borrowing Communicator) throws {
    let samples = dataset.partition.samples
    self.samples = samples
    let moments = try Moments(of: dataset, over: ranks)
    columns = dataset.featureNames.enumerated().map { Column($1, moments, $0, samples: samples) }
    switch dataset.labels {
    case .none:
      classes = []
      target = nil
    case .classes(let codes, let names):
      var counts = [Int](repeating: 0, count: names.count)
      for code in codes { counts[Int(code)] += 1 }
      try ranks.sum(&counts)
      classes = zip(names, counts).map { Class(name: $0, count: $1) }
      target = nil
    case .targets:
      classes = []
      let moments = try Moments(ofTargets: dataset, over: ranks)
      target = Column("target", moments, 0, samples: samples)
    }
  }
}

extension Statistics.Column {
  fileprivate init(_ name: String, _ moments: Moments, _ j: Int, samples: Int) {
    let count = moments.counts[j]
    self.init(
      name: name, smallest: count > 0 ? moments.smallest[j] : .nan,
      largest: count > 0 ? moments.largest[j] : .nan, mean: moments.means[j],
      standardDeviation: moments.variances[j].squareRoot(), missing: samples - count)
  }
}
