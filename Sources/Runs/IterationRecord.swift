import Networks
import Reports

/// What is known after an evaluated iteration: a row of the console's table and a line of iterations.jsonl.
///
/// What does not apply is nil: it has no column and no key. A number that is not finite stays: it is `nan` in the
/// row, null in the line.
public struct IterationRecord: Sendable, Equatable {
  /// How many sweeps have been done; 0 is the start.
  public var iteration: Int
  /// How many times the training set was gone through; nil where that is `iteration`.
  public var passes: Double?
  /// What the method minimises, for `taylor` (O), summed over samples.
  public var objective: Double?
  /// The training loss of z_L, summed over samples.
  public var loss: Double?
  /// ‖z_l − W_l a_{l−1}‖ / ‖z_l‖ over the hidden layers.
  public var residual_z: Double?
  /// ‖a_l − h(z_l)‖ / ‖a_l‖ over the hidden layers.
  public var residual_a: Double?
  /// ‖z_L − W_L a_{L−1}‖ / ‖z_L‖.
  public var residual_output: Double?
  /// ‖λ‖∞.
  public var lambda_max: Double?
  public var train_accuracy: Double?
  public var validation_accuracy: Double?
  public var test_accuracy: Double?
  public var train_rmse: Double?
  public var validation_rmse: Double?
  public var test_rmse: Double?
  /// Seconds of training up to here, without loading and evaluating.
  public var seconds: Double
  /// Useful floating-point operations a second of training since the record before, in 10⁹, for each rank.
  public var gflops_per_rank: Double?
  /// What else happened, such as a raised ridge.
  public var notes: [String]

  public init(iteration: Int, seconds: Double = 0, notes: [String] = []) {
    self.iteration = iteration
    self.seconds = seconds
    self.notes = notes
  }

  /// The record of an iterate; accuracies, speed and notes are added by the caller.
  public init(iteration: Int, _ progress: SweepProgress, seconds: Double) {
    self.init(iteration: iteration, seconds: seconds)
    take(progress)
  }

  /// Takes over what a method knows of its last sweep.
  mutating func take(_ progress: SweepProgress) {
    objective = progress.objective
    loss = progress.loss
    residual_z = progress.outputResidual
    residual_a = progress.activationResidual
    residual_output = progress.lastOutputResidual
    lambda_max = progress.largestMultiplier
  }

  /// The line of iterations.jsonl.
  public var json: JSON {
    let measured = Self.columns.compactMap { column in
      column.value(self).map { JSON.Member(column.key, .number($0)) }
    }
    let notes = notes.isEmpty ? [] : [JSON.Member("notes", .array(notes.map { .string($0) }))]
    return .object([JSON.Member("iteration", .integer(iteration))] + measured + notes)
  }
}

extension IterationRecord {
  /// One quantity of a record: its key in the line, and how it stands in the table.
  package struct Column: Sendable {
    package let key: String
    /// Over the column; `width` characters or fewer.
    let heading: String
    let width: Int
    /// What the key of columns says of it.
    let meaning: String
    let value: @Sendable (IterationRecord) -> Double?
    let text: @Sendable (Double) -> String
  }

  /// All quantities but the iteration and the notes, in the order of the row and of the line.
  package static let columns: [Column] = [
    Column(
      key: "passes", heading: "passes", width: 7, meaning: "how many times the training set was gone through"
    ) {
      $0.passes
    } text: {
      fixed($0, 2)
    },
    number("objective", "objective", "what the method minimises, summed over samples", \.objective),
    number("loss", "loss", "the training loss of the outputs z_L, summed over samples", \.loss),
    residual("residual_z", "res_z", "‖z_l − W_l a_{l−1}‖ / ‖z_l‖, hidden layers", \.residual_z),
    residual("residual_a", "res_a", "‖a_l − h(z_l)‖ / ‖a_l‖, hidden layers", \.residual_a),
    residual("residual_output", "res_out", "‖z_L − W_L a_{L−1}‖ / ‖z_L‖, last layer", \.residual_output),
    residual("lambda_max", "max|λ|", "the largest entry of the multiplier", \.lambda_max),
    accuracy("train_accuracy", "train%", "accuracy of the network on the training set", \.train_accuracy),
    accuracy("validation_accuracy", "valid%", "… on the validation set", \.validation_accuracy),
    accuracy("test_accuracy", "test%", "… on the test set", \.test_accuracy),
    error(
      "train_rmse", "train_rmse", "root mean square error of the network on the training set", \.train_rmse),
    error("validation_rmse", "valid_rmse", "… on the validation set", \.validation_rmse),
    error("test_rmse", "test_rmse", "… on the test set", \.test_rmse),
    Column(
      key: "seconds", heading: "seconds", width: 9, meaning: "time of training so far, without evaluation"
    ) {
      $0.seconds
    } text: {
      fixed($0, 2)
    },
    Column(
      key: "gflops_per_rank", heading: "GFLOP/s", width: 8,
      meaning: "useful operations a second since the row before, for each rank"
    ) {
      $0.gflops_per_rank
    } text: {
      fixed($0, 2)
    },
  ]

  private typealias Field = KeyPath<IterationRecord, Double?> & Sendable

  private static func number(_ key: String, _ heading: String, _ meaning: String, _ field: Field) -> Column {
    Column(key: key, heading: heading, width: 11, meaning: meaning) {
      $0[keyPath: field]
    } text: {
      scientific($0, 4)
    }
  }

  private static func residual(_ key: String, _ heading: String, _ meaning: String, _ field: Field) -> Column
  {
    Column(key: key, heading: heading, width: 8, meaning: meaning) {
      $0[keyPath: field]
    } text: {
      scientific($0, 2)
    }
  }

  private static func accuracy(_ key: String, _ heading: String, _ meaning: String, _ field: Field) -> Column
  {
    Column(key: key, heading: heading, width: 7, meaning: meaning) {
      $0[keyPath: field]
    } text: {
      percent($0)
    }
  }

  private static func error(_ key: String, _ heading: String, _ meaning: String, _ field: Field) -> Column {
    Column(key: key, heading: heading, width: 10, meaning: meaning) {
      $0[keyPath: field]
    } text: {
      significant($0, 5)
    }
  }
}

/// The console's table of iterations: the first record decides the columns.
public struct IterationTable: Sendable {
  /// How many rows stand under a header before it is repeated.
  static let rowsPerHeader = 40

  private var columns: [IterationRecord.Column] = []
  private var rows = 0

  public init() {}

  /// The lines for one more record: before the first also the key of the columns, before every 40th the header.
  public mutating func lines(_ record: IterationRecord) -> [String] {
    var lines: [String] = []
    if rows == 0 {
      columns = IterationRecord.columns.filter { $0.value(record) != nil }
      lines = key
    }
    if rows % Self.rowsPerHeader == 0 { lines += ["", header] }
    rows += 1
    return lines + [row(record)]
  }

  private var key: [String] {
    let explained = [("iter", "iterations done")] + columns.map { ($0.heading, $0.meaning) }
    return ["", "columns"] + explained.map { "  " + pad($0, to: 12, .left) + $1 }
  }

  private var header: String {
    (["  iter"] + columns.map { pad($0.heading, to: $0.width, .right) }).joined(separator: " ")
  }

  private func row(_ record: IterationRecord) -> String {
    let cells = columns.map { column in
      pad(column.value(record).map(column.text) ?? "", to: column.width, .right)
    }
    let numbers = ([pad(String(record.iteration), to: 6, .right)] + cells).joined(separator: " ")
    return trimmed(numbers + (record.notes.isEmpty ? "" : "  " + record.notes.joined(separator: "; ")))
  }
}
