import Reports
import Runs

extension IterationRecord {
  /// A line of series.jsonl.
  package func seriesLine(name: String, method: String, seed: UInt64?) -> String {
    JSON.object([
      "name": .string(name), "method": .string(method), "seed": seed.map { .verbatim("\($0)") } ?? .null,
      "iteration": .integer(iteration), "passes": .number(StudyAxis.passes.value(self)),
      "seconds": .number(seconds), "objective": objective.map { .number($0) },
      "train_accuracy": train_accuracy.map { .number($0) },
      "validation_accuracy": validation_accuracy.map { .number($0) },
      "test_accuracy": test_accuracy.map { .number($0) },
      "train_rmse": train_rmse.map { .number($0) }, "validation_rmse": validation_rmse.map { .number($0) },
      "test_rmse": test_rmse.map { .number($0) },
    ]).compact
  }
}

extension StudyEntry {
  /// What table.json has of an entry, in the measure's unit.
  package func members(_ study: Study) -> [JSON.Member] {
    let measure = study.measure
    let values: KeyValuePairs<String, SeedSummary?> = [
      "best": best(measure), "last": last(measure), "peak": peak(measure), "auc": auc, "passes": end(.passes),
      "seconds": end(.seconds), "start_seconds": summary(\.startSeconds),
    ]
    var members = [
      JSON.Member("name", .string(name)), JSON.Member("method", .string(method)),
      JSON.Member("diverged", .integer(diverged)),
    ]
    members += values.compactMap { key, value in value.map { JSON.Member(key, $0.json) } }
    members.append(JSON.Member("thresholds", .array(study.thresholds.map { reach($0, measure).json })))
    members.append(JSON.Member("runs", .array(runs.map { $0.json(measure) })))
    return members
  }
}

extension StudyRun {
  fileprivate func json(_ measure: StudyMeasure) -> JSON {
    .object([
      "seed": seed.map { .verbatim("\($0)") }, "status": status.map { .string($0.rawValue) },
      "evaluations": .integer(records.count),
      "best_iteration": .integer(best.iteration), "best": .number(measure.value(best)),
      "last_iteration": .integer(last.iteration), "last": .number(measure.value(last)),
      "peak": .number(peak(measure)), "auc": auc.map { .number($0) },
      "passes": .number(StudyAxis.passes.value(last)), "seconds": .number(last.seconds),
      "start_seconds": .number(startSeconds),
    ])
  }
}

extension Reach {
  fileprivate var json: JSON {
    .object([
      "threshold": .number(threshold), "reached": .integer(reached), "of": .integer(of),
      "seconds": seconds?.json, "passes": passes?.json,
    ])
  }
}
