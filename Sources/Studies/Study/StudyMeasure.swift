import Reports
import Runs

/// Which number of an evaluated iterate a study compares: accuracy or, for a regression, RMSE, on one of the data
/// sets.
///
/// `value` is in the unit in which it is shown and in which thresholds are given: percent, or the targets' own unit.
package struct StudyMeasure: Sendable, Equatable {
  package let part: DataPart
  /// Accuracy, of which more is better; or else RMSE, of which less is.
  package let isAccuracy: Bool

  package init(_ part: DataPart, isAccuracy: Bool) {
    self.part = part
    self.isAccuracy = isAccuracy
  }

  /// The key of iterations.jsonl.
  package var key: String { "\(part.rawValue)_\(isAccuracy ? "accuracy" : "rmse")" }

  /// What tables and plots call it.
  package var title: String { "\(part.rawValue) \(isAccuracy ? "accuracy %" : "RMSE")" }

  /// The number; NaN where the record has none.
  package func value(_ record: IterationRecord) -> Double {
    let value =
      switch (part, isAccuracy) {
      case (.train, true): record.train_accuracy
      case (.validation, true): record.validation_accuracy
      case (.test, true): record.test_accuracy
      case (.train, false): record.train_rmse
      case (.validation, false): record.validation_rmse
      case (.test, false): record.test_rmse
      }
    return (isAccuracy ? 100 : 1) * (value ?? .nan)
  }

  /// Whether `a` is better than `b`; a number is better than none.
  package func isBetter(_ a: Double, than b: Double) -> Bool {
    if a.isNaN || b.isNaN { return !a.isNaN && b.isNaN }
    return isAccuracy ? a > b : a < b
  }

  /// Whether `value` is at the threshold or beyond it. A share that equals it but for rounding counts as equal.
  package func reaches(_ value: Double, _ threshold: Double) -> Bool {
    let rounding = 1e-12 * abs(threshold)
    return isAccuracy ? value >= threshold - rounding : value <= threshold + rounding
  }

  /// The seeds' mean and deviation as a table has them.
  package func text(_ summary: SeedSummary) -> String {
    isAccuracy ? summary.text(text) : summary.significantText
  }

  /// `value` as a table has it.
  package func text(_ value: Double) -> String { isAccuracy ? fixed(value, 2) : significant(value, 5) }
}

/// What a curve is drawn against.
package enum StudyAxis: String, Sendable, CaseIterable {
  /// Seconds of training on the slowest rank, without loading, starting and evaluating.
  case seconds
  /// How many times the training set was gone through.
  case passes

  package func value(_ record: IterationRecord) -> Double {
    switch self {
    case .seconds: record.seconds
    case .passes: record.passes ?? Double(record.iteration)
    }
  }
}
