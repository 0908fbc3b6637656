import Reports

extension Study {
  /// What is printed at the end and written to table.txt.
  package var lines: [String] {
    var lines =
      ["", "\(measure.title), mean\(hasSpread ? " ± standard deviation" : "") over seeds"] + overview.lines
    for axis in StudyAxis.allCases {
      lines += thresholdLines(axis) + courseLines(axis)
    }
    return lines
  }

  private var hasSpread: Bool { entries.contains { $0.runs.count > 1 } }

  /// A row an entry: what it reached, and at what cost.
  private var overview: TextTable {
    let hasAUC = entries.contains { $0.auc != nil }
    let hasDivergence = entries.contains { $0.diverged > 0 }
    var table = TextTable(
      ["", "best", "last", measure.isAccuracy ? "highest" : "lowest"] + (hasAUC ? ["AUC"] : [])
        + ["passes", "seconds", "start s", "seeds"],
      [.left, .right, .right, .right] + (hasAUC ? [.right] : []) + [.right, .right, .right, .left])
    for entry in entries {
      let values = [entry.best(measure), entry.last(measure), entry.peak(measure)].map { measure.text($0) }
      let auc = hasAUC ? [entry.auc.map { $0.text { fixed($0, 4) } } ?? ""] : []
      let cost = StudyAxis.allCases.reversed().map { brief(entry.end($0).mean) }
      let starting = entry.isTrained ? brief(entry.summary(\.startSeconds).mean) : ""
      let seeds = entry.isTrained ? "\(entry.runs.count)" : ""
      let diverged = hasDivergence && entry.diverged > 0 ? ", \(entry.diverged) diverged" : ""
      table.add([entry.name] + values + auc + cost + [starting, seeds + diverged])
    }
    return table
  }

  /// A row an entry, a column a threshold.
  private func thresholdLines(_ axis: StudyAxis) -> [String] {
    guard !thresholds.isEmpty else { return [] }
    var table = TextTable(
      ["\(axis.rawValue) to \(measure.title)"] + thresholds.map { general($0, 6) },
      [.left] + thresholds.map { _ in .right })
    for entry in entries {
      table.add([entry.name] + thresholds.map { entry.reach($0, measure).text(axis) })
    }
    return [""] + table.lines
  }

  /// A row an entry, a column a round place on the axis: the seeds' mean there. Blank once all of an entry's runs
  /// have ended.
  private func courseLines(_ axis: StudyAxis) -> [String] {
    let curves = entries.map { StudyCurve($0, axis, measure) }
    let trained = curves.filter(\.end.isFinite)
    let places = logarithmicPlaces(
      from: trained.map(\.start).filter { $0 > 0 }.min() ?? 0, to: trained.map(\.end).max() ?? 0, atMost: 10)
    guard !places.isEmpty else { return [] }
    var table = TextTable(
      ["\(measure.title) after \(axis.rawValue)"] + places.map { general($0, 6) },
      [.left] + places.map { _ in .right })
    for (entry, curve) in zip(entries, curves) {
      table.add([entry.name] + places.map { curve.mean(at: $0).map(measure.text) ?? "" })
    }
    return [""] + table.lines
  }
}
