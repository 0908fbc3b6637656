import Datasets
import MPI

/// Brings regression targets to mean 0 and standard deviation 1, so that penalties and the Huber loss mean the same
/// on any scale.
struct TargetScale: Sendable, Equatable {
  let mean: Float
  let scale: Float

  init(mean: Float, scale: Float) {
    self.mean = mean
    self.scale = scale
  }

  /// Mean and standard deviation of a data set's targets. Collective; the same bits for any number of ranks.
  ///
  /// - Parameter warn: told where single precision can't scale the targets well.
  init(
    of dataset: borrowing Dataset, over ranks: borrowing Communicator, warn: (String) -> Void = { _ in }
  ) throws {
    (mean, scale) = try dataset.targetScale(over: ranks, warn: warn)
  }

  /// Scales a data set's targets in place. Local.
  func apply(to dataset: inout Dataset) {
    guard case .targets(let targets) = dataset.labels else { return }
    dataset.labels = .targets(targets.map { ($0 - mean) / scale })
  }
}
