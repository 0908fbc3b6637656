import Datasets
import LinearAlgebra
import MPI
import Networks
import Reports
import Sums

/// How well outputs fit labels. What does not apply, or is not finite, is nil.
///
/// All numbers are the same to the bit for any number of ranks: counts are integers, and sums of real numbers are
/// exact.
public struct Evaluation: Sendable, Equatable {
  /// On all ranks together.
  public var samples: Int
  /// The share of right decisions.
  public var accuracy: Double?
  /// The area under the ROC curve, with ties counted half; for more than two classes the mean over classes, each
  /// against the rest. Nil where a class has no sample.
  public var auc: Double?
  /// The mean of −log p(class of the sample), where the loss has probabilities.
  public var log_loss: Double?
  /// `confusion[c][k]`: samples of class c that were taken for class k.
  public var confusion: [[Int]]?
  /// √(mean of squared errors), in the unit of the targets.
  public var rmse: Double?
  /// The mean of absolute errors, in the unit of the targets.
  public var mae: Double?
  /// 1 − Σ(error²) / Σ(target − mean target)². Nil where all targets are equal.
  public var r2: Double?

  /// Evaluates a network's outputs. Collective.
  ///
  /// - Parameters:
  ///   - scores: d_L × n, the outputs for this rank's samples, of which there may be none.
  ///   - labels: theirs. Targets on the scale of the scores.
  ///   - loss: what the outputs were trained for; it says what probability they stand for.
  ///   - unit: what an error of 1 is in the unit of the data: the targets' scale where they were standardised.
  public init(
    of scores: Tile<Float>, labels: Labels, loss: Loss, unit: Double = 1, over ranks: borrowing Communicator
  ) throws(MPIError) {
    samples = try ranks.sum(scores.columns)
    guard samples > 0 else { return }
    switch labels {
    case .none: break
    case .targets(let targets):
      precondition(targets.count == scores.columns, "\(targets.count) targets, \(scores.columns) outputs")
      let predictions = (0..<scores.columns).map { scores.column($0)[0] }
      try addErrors(predictions, targets, unit, over: ranks)
    case .classes(let codes, let names):
      precondition(codes.count == scores.columns, "\(codes.count) labels, \(scores.columns) outputs")
      precondition(
        scores.rows == names.count || (scores.rows == 1 && names.count == 2),
        "\(scores.rows) outputs for \(names.count) classes")
      try addDecisions(codes, classes: names.count, over: ranks) {
        Scoring.decision(scores.column($0), outputs: scores.rows)
      }
      try addAUC(scores, codes, loss, classes: names.count, over: ranks)
      if loss.hasProbabilities { try addLogLoss(scores, codes, loss, over: ranks) }
    }
  }

  /// Evaluates the answer that ignores the features: the most frequent class of the training set, or its mean
  /// target. Collective.
  ///
  /// - Parameters:
  ///   - training: this rank's labels of the training set.
  ///   - test: this rank's labels of the set to evaluate, with the same classes or on the same scale.
  ///   - unit: as above.
  public init(
    ofConstantFrom training: Labels, on test: Labels, unit: Double = 1, over ranks: borrowing Communicator
  ) throws(MPIError) {
    switch (training, test) {
    case (.classes(let trained, let names), .classes(let codes, _)):
      samples = try ranks.sum(codes.count)
      var counts = [Int](repeating: 0, count: names.count)
      for code in trained { counts[Int(code)] += 1 }
      try ranks.sum(&counts)
      let majority = counts.firstIndex(of: counts.max() ?? 0) ?? 0
      guard samples > 0 else { return }
      try addDecisions(codes, classes: names.count, over: ranks) { _ in majority }
    case (.targets(let trained), .targets(let targets)):
      samples = try ranks.sum(targets.count)
      let mean = try Self.mean(trained, over: ranks)
      guard samples > 0 else { return }
      try addErrors(targets.map { _ in Float(mean) }, targets, unit, over: ranks)
    default: samples = 0
    }
  }

  /// What applies, for run.json and result files.
  public var json: JSON {
    .object([
      "samples": .integer(samples),
      "accuracy": accuracy.map { .number($0) },
      "auc": auc.map { .number($0) },
      "log_loss": log_loss.map { .number($0) },
      "rmse": rmse.map { .number($0) },
      "mae": mae.map { .number($0) },
      "r2": r2.map { .number($0) },
      "confusion": confusion.map { .array($0.map { .array($0.map { .integer($0) }) }) },
    ])
  }

  // MARK: Classes

  private mutating func addDecisions(
    _ codes: [Int32], classes K: Int, over ranks: borrowing Communicator, decision: (Int) -> Int
  ) throws(MPIError) {
    var counts = [Int](repeating: 0, count: K * K)
    for (j, code) in codes.enumerated() { counts[Int(code) * K + decision(j)] += 1 }
    try ranks.sum(&counts)
    let right = (0..<K).reduce(0) { $0 + counts[$1 * K + $1] }
    accuracy = Double(right) / Double(samples)
    confusion = (0..<K).map { Array(counts[$0 * K..<($0 + 1) * K]) }
  }

  private mutating func addAUC(
    _ scores: Tile<Float>, _ codes: [Int32], _ loss: Loss, classes K: Int, over ranks: borrowing Communicator
  ) throws(MPIError) {
    if K == 2 {
      let margins = (0..<scores.columns).map { loss.margin(scores.column($0), of: 1, outputs: scores.rows) }
      auc = try areaUnderROC(margins, codes.map { $0 == 1 }, over: ranks)
      return
    }
    var sum = 0.0
    for k in 0..<K {
      let margins = (0..<scores.columns).map { loss.margin(scores.column($0), of: k, outputs: K) }
      guard let area = try areaUnderROC(margins, codes.map { Int($0) == k }, over: ranks) else { return }
      sum += area
    }
    auc = sum / Double(K)
  }

  private mutating func addLogLoss(
    _ scores: Tile<Float>, _ codes: [Int32], _ loss: Loss, over ranks: borrowing Communicator
  ) throws(MPIError) {
    var sum = ExactSum(count: 1)
    for (j, code) in codes.enumerated() {
      sum.add(-loss.logProbability(scores.column(j), of: Int(code), outputs: scores.rows), to: 0)
    }
    try sum.reduce(over: ranks)
    log_loss = Self.finite(sum[0] / Double(samples))
  }

  // MARK: Targets

  private mutating func addErrors(
    _ predictions: [Float], _ targets: [Float], _ unit: Double, over ranks: borrowing Communicator
  ) throws(MPIError) {
    let mean = try Self.mean(targets, over: ranks)
    var sums = ExactSum(count: 3)
    for (prediction, target) in zip(predictions, targets) {
      let error = Double(prediction) - Double(target)
      let deviation = Double(target) - mean
      sums.add(error * error, to: 0)
      sums.add(abs(error), to: 1)
      sums.add(deviation * deviation, to: 2)
    }
    try sums.reduce(over: ranks)
    rmse = Self.finite(unit * (sums[0] / Double(samples)).squareRoot())
    mae = Self.finite(unit * sums[1] / Double(samples))
    r2 = Self.finite(1 - sums[0] / sums[2])
  }

  /// The mean of all ranks' numbers; NaN if there are none. Collective.
  private static func mean(_ numbers: [Float], over ranks: borrowing Communicator) throws(MPIError) -> Double
  {
    var sum = ExactSum(count: 1)
    for number in numbers { sum.add(Double(number), to: 0) }
    try sum.reduce(over: ranks)
    return sum[0] / Double(try ranks.sum(numbers.count))
  }

  private static func finite(_ number: Double) -> Double? { number.isFinite ? number : nil }
}
