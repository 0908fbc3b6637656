import Basics
import MPI

/// What the first lines of a text file tell about all of them.
struct CSVLayout {
  /// More columns than this are no table.
  private static let mostColumns = 1 << 20
  /// A longer name, in bytes, is none.
  private static let longestName = 1_000

  let path: String
  let delimiter: UInt8
  /// Whether line 1 names the columns.
  let hasHeader: Bool
  /// How many columns every line has.
  let columns: Int
  /// The label's column, from 0.
  let label: Int?
  /// The header's names of all columns; empty where there is no header.
  let columnNames: [String]
  /// The offset of the first line after the header and the byte order mark.
  let dataStart: Int
  /// The number of the line at `dataStart`, from 1.
  let firstLine: Int
  /// The columns whose fields in the first lines are no numbers, as far as they were looked at.
  let textColumns: Set<Int>
  /// Whether the last field of the first lines is always empty: they end in a delimiter.
  let endsEmpty: Bool

  /// The names of the columns that are not the label.
  var featureNames: [String] {
    let features = (0..<columns).filter { $0 != label }
    return hasHeader ? features.map { columnNames[$0] } : numberedNames(features.count)
  }

  /// Consecutive blanks count as one delimiter where the delimiter is a blank.
  var collapses: Bool { delimiter == UInt8(ascii: " ") }

  /// - Throws: a `Failure` where the file and the options don't fit, or the file leaves a doubt.
  init(_ file: FileHead, _ options: CSVFormat) throws {
    let path = file.path
    let head = try CSVHead(file)
    let guess = CSVGuess(head: head)
    let delimiter = try options.delimiter.map { try Self.delimiter($0, path) } ?? guess.delimiter()
    let count = try Self.columnCount(head, delimiter)
    let cells = head.cut(at: delimiter)
    let hasHeader = try options.hasHeader ?? cells.map(guess.hasHeader) ?? false
    columnNames = hasHeader ? try Self.names(head, delimiter) : []
    label = try options.labelColumn.index(of: count, columnNames, path: path, line: head.first.number)
    guard count > (label == nil ? 0 : 1) else {
      throw Failure(
        .badData,
        "\(path) has one column only, the label, and no features. Check the delimiter and the label column.")
    }
    dataStart = hasHeader ? head.first.next : head.first.start
    firstLine = hasHeader ? head.first.number + 1 : head.first.number
    let samples = cells.map { hasHeader ? $0.body : [$0.first] + $0.body } ?? []
    textColumns = Self.textColumns(samples)
    endsEmpty = !samples.isEmpty && samples.allSatisfy { $0.last?.text.isEmpty ?? false }
    (self.path, self.delimiter, self.hasHeader, columns) = (path, delimiter, hasHeader, count)
  }

  /// `column 7 (jet_pt)`, for messages.
  func describe(column: Int) -> String {
    hasHeader ? "column \(column + 1) (\(shortened(columnNames[column])))" : "column \(column + 1)"
  }

  /// Where the labels stand; `nil` where there are none.
  var labelSource: LabelSource? {
    label.map {
      LabelSource(
        name: hasHeader ? columnNames[$0] : nil, place: describe(column: $0),
        choice: "choose another label column (label_column in [data], --label-column)")
    }
  }

  /// The number of lines after the header, if all are as long as those in the head.
  func estimatedLines(of file: FileHead) -> Int {
    let text = file.bytes[dataStart...]
    let whole = text.lastIndex(of: UInt8(ascii: "\n")).map { text[...$0] } ?? text
    let lines = whole.withUnsafeBufferPointer(countLines)
    let bytes = file.size - dataStart
    guard !whole.isEmpty else { return bytes > 0 ? 1 : 0 }
    return Int((Double(bytes) * Double(lines) / Double(whole.count)).rounded())
  }

  // MARK: Steps

  private static func delimiter(_ given: Character, _ path: String) throws -> UInt8 {
    guard let byte = given.asciiValue, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n"),
      decimalValue("1\(given)2") == nil
    else {
      throw Failure(
        .badConfiguration, "\"\(given)\" can't be the delimiter of \(path). Set another character.")
    }
    return byte
  }

  private static func columnCount(_ head: CSVHead, _ delimiter: UInt8) throws -> Int {
    let count = try head.first.bytes.withUnsafeBufferPointer {
      try CSVFields.forEach(in: $0, delimiter: delimiter, failure: { fault(head, $0) })
    }
    guard count <= mostColumns else {
      throw fault(
        head, "\(count) fields are too many: the most that can be read is \(mostColumns). Is it a table?")
    }
    return count
  }

  /// The texts of line 1.
  private static func names(_ head: CSVHead, _ delimiter: UInt8) throws -> [String] {
    var names: [String] = []
    _ = try head.first.bytes.withUnsafeBufferPointer { bytes in
      try CSVFields.forEach(in: bytes, delimiter: delimiter, failure: { fault(head, $0) }) { field in
        guard field.bytes.count <= longestName else {
          throw fault(
            head,
            "the name of column \(names.count + 1) has \(field.bytes.count) bytes, and the longest that can be "
              + "read has \(longestName). Shorten it, or check the delimiter.")
        }
        names.append(try CSVFields.text(field) { fault(head, "column \(names.count + 1): \($0)") })
      }
    }
    return names
  }

  private static func fault(_ head: CSVHead, _ reason: String) -> Failure {
    Failure(.badData, "\(head.path), line \(head.first.number): \(reason)")
  }

  private static func textColumns(_ samples: [CSVCells.Row]) -> Set<Int> {
    let width = samples.map(\.cells.count).min() ?? 0
    return Set(
      (0..<width).filter { j in
        let kinds = samples.map { $0.cells[j].kind }.filter { $0 != .missing }
        return !kinds.isEmpty && kinds.allSatisfy { $0 == .word }
      })
  }
}

extension CSVFormat {
  /// Whether line 1 names the columns, where the options tell.
  fileprivate var hasHeader: Bool? {
    if case .name = labelColumn { return header ?? true }
    return header
  }
}

extension CSVCells.Row {
  /// The last field; `nil` where it was not looked at.
  fileprivate var last: CSVCells.Cell? { cells.count == count ? cells.last : nil }
}

extension CSVFormat.LabelColumn {
  /// The label's column, from 0; `nil` where there is none.
  ///
  /// - Parameters:
  ///   - count: how many columns there are.
  ///   - names: what the header in `line` calls them; empty without a header.
  /// - Throws: a `Failure` where there is no such column, or more than one.
  fileprivate func index(of count: Int, _ names: [String], path: String, line: Int) throws -> Int? {
    switch self {
    case .none: return nil
    case .number(let number):
      let index = number < 0 ? count + number : number - 1
      guard (0..<count).contains(index) else {
        throw Failure(
          .badConfiguration,
          "\(path) has \(count) columns, and the label is to be in column \(number). "
            + "Set another label column, or check the delimiter.")
      }
      return index
    case .last:
      let named = names.indices.filter { names[$0] == "last" }
      if let other = named.first(where: { $0 != count - 1 }) {
        throw Failure(
          .badConfiguration,
          "\(path): the label column \"last\" is the last one, and column \(other + 1) is named so too. "
            + "Set label_column to -1 or to \(other + 1).")
      }
      return count - 1
    case .name(let name): return try index(of: name, among: names, path: path, line: line)
    }
  }

  private func index(of name: String, among names: [String], path: String, line: Int) throws -> Int {
    let places = names.indices.filter { names[$0] == name }
    if places.count == 1 { return places[0] }
    if places.isEmpty {
      throw Failure(
        .badConfiguration,
        names.isEmpty
          ? "The label column \"\(name)\" of \(path) is a name, and header = false says that there are none. "
            + "Give its number."
          : "\(path) has no column \"\(name)\" for the label; line \(line) has: "
            + names.prefix(20).map { shortened($0) }.joined(separator: ", ") + ".")
    }
    let list = places.prefix(5).map { "\($0 + 1)" }.joined(separator: ", ")
    throw Failure(
      .badData,
      "\(path), line \(line): \(places.count) columns are named \"\(name)\" (\(list)). Set label_column to the number "
        + "of one of them, or rename the others.")
  }
}
