import Basics
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
  /// - Throws: a shared `Failure` where a column's numbers are too large to be squared (5e33).
  public init(of dataset: borrowing Dataset, over ranks: borrowing Communicator) throws {
    let moments = try Moments(of: dataset, over: ranks)
    if let j = moments.variances.firstIndex(where: { !$0.isFinite }) {
      throw Failure(
        .badData,
        "Feature \(j + 1) (\(dataset.featureNames[j])) can't be standardised: it ranges from \(moments.smallest[j]) "
          + "to \(moments.largest[j]). Rescale it in the file.", isShared: true)
    }
    self.init(
      mean: moments.means.map { Float($0) },
      scale: moments.variances.map {
        let deviation = Float($0.squareRoot())
        return deviation.isNormal ? deviation : 1
      })
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
