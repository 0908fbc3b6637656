import Datasets
import LinearAlgebra
import MPI
import Models
import Networks
import Sums

extension IterationRecord {
  /// Adds how well the network itself, not the slack-laden z_L, does on each data set. Collective; one reduction.
  package mutating func addQuality(
    of W: borrowing Layers<Matrix<Float>>, _ network: Network, _ data: borrowing TrainingData,
    over ranks: borrowing Communicator
  ) throws {
    let sets = data.sets
    var sums = ExactSum(count: sets.count)
    for (k, set) in sets.enumerated() { addSum(&sums, k, W, network, set) }
    try sums.reduce(over: ranks)
    for (k, set) in sets.enumerated() {
      let mean = sums[k] / Double(set.samples)
      if data.classNames == nil {
        setError(of: set.part, data.unit * mean.squareRoot())
      } else {
        setAccuracy(of: set.part, mean)
      }
    }
  }

  /// Adds this rank's right decisions, or squared errors of standardised targets, to sum k. Local.
  private func addSum(
    _ sums: inout ExactSum, _ k: Int, _ W: borrowing Layers<Matrix<Float>>, _ network: Network,
    _ set: ScoredSet
  ) {
    let scores = Scoring.scores(network, W, set.a0)
    switch set.labels {
    case .none: break
    case .targets(let targets):
      for (j, target) in targets.enumerated() {
        let error = Double(scores[0, j]) - Double(target)
        sums.add(error * error, to: k)
      }
    case .classes(let codes, _):
      let right = codes.indices.count {
        Scoring.decision(scores.all.column($0), outputs: scores.rows) == Int(codes[$0])
      }
      sums.add(Double(right), to: k)
    }
  }

  private mutating func setAccuracy(of part: DataPart, _ share: Double) {
    switch part {
    case .train: train_accuracy = share
    case .validation: validation_accuracy = share
    case .test: test_accuracy = share
    }
  }

  private mutating func setError(of part: DataPart, _ error: Double) {
    switch part {
    case .train: train_rmse = error
    case .validation: validation_rmse = error
    case .test: test_rmse = error
    }
  }

  /// Whether this later iterate is the one to save: the better one by validation. Where there is no validation set,
  /// or it can't tell them apart, the one of the lower objective, since a training set of a few hundred samples is
  /// soon decided rightly by many iterates of which the late ones generalise better. The test set has no say.
  ///
  /// The objective of `taylor` is that of its split variables, not the network's: there the training accuracy decides.
  package func isPreferred(to other: IterationRecord) -> Bool {
    if hasValidation || hasSplitVariables {
      if isBetter(than: other) { return true }
      if other.isBetter(than: self) || hasSplitVariables { return false }
    }
    guard let own = objective, let best = other.objective, best.isFinite else { return true }
    return own <= best
  }

  private var hasValidation: Bool { validation_accuracy != nil || validation_rmse != nil }

  /// Whether z_L differs from the network's own outputs.
  private var hasSplitVariables: Bool { residual_output != nil }

  /// Whether this iterate does better: on the validation set where there is one, else on the training set.
  package func isBetter(than other: IterationRecord) -> Bool {
    if let own = validation_accuracy, let best = other.validation_accuracy { return own > best }
    if let own = validation_rmse, let best = other.validation_rmse { return own < best }
    if let own = train_accuracy, let best = other.train_accuracy { return own > best }
    if let own = train_rmse, let best = other.train_rmse { return own < best }
    return false
  }
}
