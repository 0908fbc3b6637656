import Runs

/// One training of a study: one method from one seed.
package struct StudyRun: Sendable {
  /// nil for what has no random numbers.
  package let seed: UInt64?
  /// How it ended; nil for what is not trained by iterations.
  package let status: RunStatus?
  /// The evaluated iterates, from the first. A run that diverged before any has its start as iteration 0,
  /// without a number if there was no start.
  package let records: [IterationRecord]
  /// The area under the ROC curve of the best iterate, for two classes.
  package let auc: Double?
  /// Seconds that the start values took on the slowest rank; they are not in the records' seconds.
  package let startSeconds: Double

  /// - Precondition: at least one record.
  package init(
    seed: UInt64?, status: RunStatus?, records: [IterationRecord], auc: Double? = nil,
    startSeconds: Double = 0
  ) {
    precondition(!records.isEmpty, "a run without an evaluated iterate")
    self.seed = seed
    self.status = status
    self.records = records
    self.auc = auc
    self.startSeconds = startSeconds
  }

  /// The iterate that training would keep: chosen by validation or training, never by the test set.
  package var best: IterationRecord {
    records.dropFirst().reduce(records[0]) { $1.isBetter(than: $0) ? $1 : $0 }
  }

  package var last: IterationRecord { records[records.count - 1] }

  package var isDiverged: Bool { status == .diverged }

  /// The best value that any iterate had, which only hindsight can choose.
  package func peak(_ measure: StudyMeasure) -> Double {
    records.map(measure.value).reduce(.nan) { measure.isBetter($1, than: $0) ? $1 : $0 }
  }

  /// The first evaluated iterate at the threshold or beyond it; nothing is interpolated.
  package func first(reaching threshold: Double, _ measure: StudyMeasure) -> IterationRecord? {
    records.first { measure.reaches(measure.value($0), threshold) }
  }
}

/// One row of a study: a configuration with all its seeds, or a model that it is held against.
package struct StudyEntry: Sendable {
  /// The configuration file's name without its extension; unique in the study.
  package let name: String
  /// Such as "taylor".
  package let method: String
  /// One a seed, in the order of the seeds.
  package let runs: [StudyRun]

  /// - Precondition: at least one run.
  package init(name: String, method: String, runs: [StudyRun]) {
    precondition(!runs.isEmpty, "an entry without a run")
    self.name = name
    self.method = method
    self.runs = runs
  }

  /// Whether it is a method that goes from a seed by iterations, and not a model that is found at once.
  package var isTrained: Bool { runs[0].seed != nil }

  /// Over all seeds, of the iterates that training would keep.
  package func best(_ measure: StudyMeasure) -> SeedSummary { summary { measure.value($0.best) } }

  /// Over all seeds, of the last evaluated iterates.
  package func last(_ measure: StudyMeasure) -> SeedSummary { summary { measure.value($0.last) } }

  /// Over all seeds, of the best values that any iterate had.
  package func peak(_ measure: StudyMeasure) -> SeedSummary { summary { $0.peak(measure) } }

  /// Over all seeds, AUC of the best iterate; nil where a seed has none.
  package var auc: SeedSummary? {
    let values = runs.compactMap(\.auc)
    return values.count == runs.count ? SeedSummary(values) : nil
  }

  /// Over all seeds, where the runs ended.
  package func end(_ axis: StudyAxis) -> SeedSummary { summary { axis.value($0.last) } }

  /// How many seeds left the finite numbers.
  package var diverged: Int { runs.count { $0.isDiverged } }

  /// When the seeds reached a threshold.
  package func reach(_ threshold: Double, _ measure: StudyMeasure) -> Reach {
    let firsts = runs.compactMap { $0.first(reaching: threshold, measure) }
    return Reach(threshold: threshold, firsts, of: runs.count)
  }

  package func summary(_ value: (StudyRun) -> Double) -> SeedSummary { SeedSummary(runs.map(value)) }
}

/// Everything that a study found.
package struct Study: Sendable {
  package let measure: StudyMeasure
  /// In the measure's unit, the easiest first.
  package let thresholds: [Double]
  /// The configurations in the order of the command line; the linear model last.
  package let entries: [StudyEntry]

  /// - Parameter thresholds: nil for round numbers around what the entries reach.
  package init(_ measure: StudyMeasure, thresholds: [Double]?, entries: [StudyEntry]) {
    self.measure = measure
    self.entries = entries
    self.thresholds =
      thresholds.map { $0.sorted { measure.isBetter($1, than: $0) } }
      ?? automaticThresholds(entries.map { entry in entry.peak(measure).best(measure) }, measure)
  }
}
