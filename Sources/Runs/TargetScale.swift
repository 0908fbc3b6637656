import Datasets
import MPI
import Sums

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
  init(of dataset: borrowing Dataset, over ranks: borrowing Communicator) throws {
    guard case .targets(let targets) = dataset.labels else {
      preconditionFailure("a data set without targets has no scale of them")
    }
    var sums = ExactSum(count: 2)
    for target in targets {
      sums.add(Double(target), to: 0)
      // Exact: a Float has 24 bits, a Double 53.
      sums.add(Double(target) * Double(target), to: 1)
    }
    try sums.reduce(over: ranks)
    let count = Double(dataset.partition.samples)
    let mean = sums[0] / count
    let deviation = max(sums[1] / count - mean * mean, 0).squareRoot()
    self.init(mean: Float(mean), scale: deviation > 0 ? Float(deviation) : 1)
  }

  /// Scales a data set's targets in place. Local.
  func apply(to dataset: inout Dataset) {
    guard case .targets(let targets) = dataset.labels else { return }
    dataset.labels = .targets(targets.map { ($0 - mean) / scale })
  }
}
