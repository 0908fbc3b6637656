import Sums

extension IterationRecord {
  /// All numbers that may be missing.
  private static let optionals: [WritableKeyPath<IterationRecord, Double?> & Sendable] = [
    \.passes, \.objective, \.loss, \.residual_z, \.residual_a, \.residual_output, \.lambda_max,
    \.train_accuracy, \.validation_accuracy, \.test_accuracy, \.train_rmse, \.validation_rmse, \.test_rmse,
    \.gflops_per_rank,
  ]

  /// All that a record says. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    try state("iteration", &iteration)
    try state("seconds", &seconds)
    try state("notes", &notes)
    var known = Self.optionals.map { self[keyPath: $0] == nil ? 0 : 1 }
    var values = Self.optionals.map { self[keyPath: $0] ?? 0 }
    try state.list("known", &known, count: known.count)
    try state.list("values", &values, count: values.count)
    for (i, field) in Self.optionals.enumerated() { self[keyPath: field] = known[i] == 0 ? nil : values[i] }
  }
}

extension Optional where Wrapped == IterationRecord {
  /// The record, if there is one. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    var isKnown = self != nil
    try state("is_known", &isKnown)
    var record = self ?? IterationRecord(iteration: 0)
    try record.archive(state)
    self = isKnown ? record : nil
  }
}
