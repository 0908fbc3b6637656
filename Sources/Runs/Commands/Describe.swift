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
  console.print(
    "\(dataPath): \(head.format), \(bytes(head.fileSize)), \(counted(statistics.samples, "sample")), "
      + counted(statistics.columns.count, "feature"))
  console.print(statistics.report)
  return .done
}

extension Statistics {
  /// The tables of classes and columns, and what is remarkable.
  var report: [String] {
    var lines: [String] = []
    if !classes.isEmpty {
      var table = TextTable(["class", "samples", "share %"], [.left, .right, .right])
      for one in classes {
        table.add([one.name, grouped(one.count), percent(Double(one.count) / Double(max(samples, 1)))])
      }
      lines += [""] + table.lines
    } else if target == nil {
      lines += ["", "no labels"]
    }
    var table = TextTable(
      ["column", "smallest", "largest", "mean", "std. dev.", "missing", ""],
      [.left, .right, .right, .right, .right, .right, .left])
    for column in columns + (target.map { [$0] } ?? []) {
      let isEmpty = column.missing == samples
      table.add(
        [column.name] + (isEmpty ? ["", "", "", ""] : column.numbers) + [
          grouped(column.missing), isEmpty ? "empty" : column.isConstant ? "constant" : "",
        ])
    }
    lines += [""] + table.lines + [""]
    let missing = columns.reduce(0) { $0 + $1.missing }
    let incomplete = columns.count { $0.missing > 0 }
    let constant = columns.count { $0.isConstant && $0.missing < samples }
    lines.append(
      missing == 0
        ? "no missing values" : "\(counted(missing, "missing value")) in \(counted(incomplete, "column"))")
    lines.append(constant == 0 ? "no constant columns" : counted(constant, "constant column"))
    return lines
  }
}

extension Statistics.Column {
  fileprivate var numbers: [String] {
    [Double(smallest), Double(largest), mean, standardDeviation].map { general($0, 6) }
  }
}
