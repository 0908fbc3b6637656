import Basics
import Configuration
import Datasets
import MPI
import Reports

/// Prints a data set in numbers: samples, classes, and each column's range. Collective.
///
/// - Parameters:
///   - dataPath: the file.
///   - settings: how to read it.
/// - Throws: a shared `Failure` where the file can't be read.
public func describe(
  dataPath: String, settings: [DataSetting], over ranks: borrowing Communicator
) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  let data = try Configuration.defaults(with: settings, over: ranks).data
  let source = data.source(dataPath)
  let head = try preview(source, over: ranks)
  let dataset = try readDataset(
    source, task: data.task, selection: data.selection, missing: .keepNaN, over: ranks
  ) { console.progress("reading \(dataPath)", $0) }
  let statistics = try Statistics(of: dataset, over: ranks)
  let labels = dataset.labelSource.map { ", labels from \($0.place)" } ?? ""
  console.print(
    "\(dataPath): \(head.format), \(bytes(head.fileSize)), \(counted(statistics.samples, "sample")), "
      + counted(statistics.columns.count, "feature") + labels)
  let hint = dataset.labels.targetHint(samples: statistics.samples)
  console.print(statistics.classLines(hint) + statistics.columnLines)
  dataset.mergedWarning(dataPath).map(console.warn)
  return .done
}

extension Statistics {
  /// More rows than this of a table are only counted.
  private static let mostClasses = 100
  private static let mostColumns = 1_000

  /// The table of classes.
  ///
  /// - Parameter hint: why they are none; then they are only counted.
  fileprivate func classLines(_ hint: String?) -> [String] {
    if let hint { return ["", hint] }
    guard !classes.isEmpty else { return target == nil ? ["", "no labels"] : [] }
    var table = TextTable(["class", "samples", "share %"], [.left, .right, .right])
    for one in classes.prefix(Self.mostClasses) {
      let share = percent(Double(one.count) / Double(max(samples, 1)))
      table.add([shortened(one.name), grouped(one.count), share])
    }
    return [""] + table.lines + more(classes.count, Self.mostClasses, "class", "classes")
  }

  /// The table of columns, and what is remarkable.
  fileprivate var columnLines: [String] {
    var table = TextTable(
      ["column", "smallest", "largest", "mean", "std. dev.", "missing", ""],
      [.left, .right, .right, .right, .right, .right, .left])
    for column in columns.prefix(Self.mostColumns) + (target.map { [$0] } ?? []) {
      let isEmpty = column.missing == samples
      table.add(
        [shortened(column.name)] + (isEmpty ? ["", "", "", ""] : column.numbers) + [
          grouped(column.missing), isEmpty ? "empty" : column.isConstant ? "constant" : "",
        ])
    }
    let missing = columns.reduce(0) { $0 + $1.missing }
    let incomplete = columns.count { $0.missing > 0 }
    let constant = columns.count { $0.isConstant && $0.missing < samples }
    return [""] + table.lines + more(columns.count, Self.mostColumns, "column", "columns") + [
      "",
      missing == 0
        ? "no missing values" : "\(counted(missing, "missing value")) in \(counted(incomplete, "column"))",
      constant == 0 ? "no constant columns" : counted(constant, "constant column"),
    ]
  }

  private func more(_ count: Int, _ shown: Int, _ one: String, _ several: String) -> [String] {
    count > shown ? ["… and \(grouped(count - shown)) more \(count == shown + 1 ? one : several)"] : []
  }
}

extension Statistics.Column {
  fileprivate var numbers: [String] {
    [Double(smallest), Double(largest), mean, standardDeviation].map { general($0, 6) }
  }
}
