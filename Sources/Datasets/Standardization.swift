import LinearAlgebra
import MPI

/// Brings every feature to mean 0 and standard deviation 1: x ← (x − mean) / scale.
public struct Standardization: Sendable, Equatable {
  /// d means.
  public let mean: [Float]
  /// d standard deviations (divisor N); 1 for a constant feature, which becomes 0.
  public let scale: [Float]

  /// - Precondition: as many means as scales.
  public init(mean: [Float], scale: [Float]) {
    precondition(mean.count == scale.count, "\(mean.count) means and \(scale.count) scales")
    self.mean = mean
    self.scale = scale
  }

  /// The means and standard deviations of a data set. Collective; the same bits for any number of ranks.
  ///
  /// - Parameter warn: told of features that single precision can't standardise well.
  /// - Throws: a shared `Failure` where the differences within a column are too large for single precision.
  public init(
    of dataset: borrowing Dataset, over ranks: borrowing Communicator, warn: (String) -> Void = { _ in }
  ) throws {
    let moments = try Moments(of: dataset, over: ranks)
    let names = dataset.featureNames.enumerated().map { "Feature \($0 + 1) (\($1))" }
    let scales = try names.indices.map { try moments.scale($0, names[$0]) }
    self.init(mean: scales.map(\.mean), scale: scales.map(\.deviation))
    let warnings = names.indices.lazy.compactMap { moments.warning($0, names[$0]) }
    // The first few tell what is wrong with them all.
    warnings.prefix(5).forEach(warn)
  }

  /// Standardises a data set in place; the row of ones stays. Local.
  ///
  /// - Precondition: the data set has as many features.
  public func apply(to dataset: inout Dataset) {
    precondition(
      dataset.featureCount == mean.count, "\(mean.count) means for \(dataset.featureCount) features")
    let base = dataset.features.mutableBase
    let stride = dataset.features.rows
    for i in 0..<dataset.range.count {
      let sample = base + i * stride
      for j in mean.indices { sample[j] = (sample[j] - mean[j]) / scale[j] }
    }
  }
}

extension Dataset {
  /// Mean and standard deviation (divisor N) of the targets; 1 where all are equal. Collective; the same bits for any
  /// number of ranks.
  ///
  /// - Parameter warn: told where single precision can't scale the targets well.
  /// - Throws: a shared `Failure` where their differences are too large for single precision.
  /// - Precondition: the data set has targets.
  public func targetScale(
    over ranks: borrowing Communicator, warn: (String) -> Void = { _ in }
  ) throws -> (mean: Float, deviation: Float) {
    let moments = try Moments(ofTargets: self, over: ranks)
    moments.warning(0, "The target").map(warn)
    return try moments.scale(0, "The target")
  }
}
