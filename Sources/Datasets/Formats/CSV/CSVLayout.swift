import Basics
import MPI

/// What the first line of a text file tells about all of them.
struct CSVLayout {
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

  /// The names of the columns that are not the label.
  var featureNames: [String] {
    let features = (0..<columns).filter { $0 != label }
    return hasHeader ? features.map { columnNames[$0] } : numberedNames(features.count)
  }

  /// Consecutive blanks count as one delimiter where the delimiter is a blank.
  var collapses: Bool { delimiter == UInt8(ascii: " ") }

  /// - Throws: a `Failure` where the file and the options don't fit.
  init(_ file: FileHead, _ options: CSVFormat) throws {
    path = file.path
    let line = try FirstLine(file)
    delimiter = try Self.delimiter(of: line.bytes, options, path: path)
    let fields = try line.fields(delimiter)
    columns = fields.count
    hasHeader = try Self.isHeader(fields, options, path: path)
    columnNames = hasHeader ? fields : []
    label = try Self.label(among: columnNames, columns, options, path: path, line: line.number)
    guard columns > (label == nil ? 0 : 1) else {
      throw Failure(
        .badData,
        "\(path) has one column only, the label, and no features. Check the delimiter and the label column.")
    }
    dataStart = hasHeader ? line.next : line.start
    firstLine = hasHeader ? line.number + 1 : line.number
  }

  /// `column 7 (jet_pt)`, for messages.
  func describe(column: Int) -> String {
    hasHeader ? "column \(column + 1) (\(columnNames[column]))" : "column \(column + 1)"
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

  private static func delimiter(
    of line: ArraySlice<UInt8>, _ options: CSVFormat, path: String
  ) throws -> UInt8 {
    if let given = options.delimiter {
      guard let byte = given.asciiValue, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n"),
        decimalValue("1\(given)2") == nil
      else {
        throw Failure(
          .badConfiguration, "\"\(given)\" can't be the delimiter of \(path). Set another character.")
      }
      return byte
    }
    var isQuoted = false
    var found: Set<UInt8> = []
    for byte in line {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() } else if !isQuoted { found.insert(byte) }
    }
    let candidates = [",", ";", "\t", " "].compactMap { Character($0).asciiValue }
    return candidates.first { found.contains($0) } ?? UInt8(ascii: ",")
  }

  /// Whether the first line names the columns: as told, or if it has words and no number outside the label's column.
  private static func isHeader(_ fields: [String], _ options: CSVFormat, path: String) throws -> Bool {
    var label: Int? = nil
    if case .number(let number) = options.labelColumn {
      guard number >= 1 && number <= fields.count else {
        throw Failure(
          .badConfiguration,
          "\(path) has \(fields.count) columns, and the label is to be in column \(number). "
            + "Set another label column, or check the delimiter.")
      }
      label = number - 1
    }
    if let header = options.header { return header }
    if case .name = options.labelColumn { return true }
    let others = fields.indices.filter { $0 != label }.map { fields[$0] }
    let words = others.filter { !isMissingValue($0) && decimalValue($0) == nil }
    return !words.isEmpty && !others.contains { decimalValue($0) != nil }
  }

  /// The label's column, from 0.
  private static func label(
    among names: [String], _ columns: Int, _ options: CSVFormat, path: String, line: Int
  ) throws -> Int? {
    switch options.labelColumn {
    case .none: return nil
    case .number(let number): return number - 1
    case .name(let name):
      if let index = names.firstIndex(of: name) { return index }
      throw Failure(
        .badConfiguration,
        names.isEmpty
          ? "The label column \"\(name)\" of \(path) is a name, and header = false says that there are none. "
            + "Give its number."
          : "\(path) has no column \"\(name)\" for the label; line \(line) has: "
            + names.prefix(20).joined(separator: ", ") + ".")
    }
  }
}

/// The first line of a text that is not blank.
private struct FirstLine {
  let path: String
  /// The line without its end.
  let bytes: ArraySlice<UInt8>
  /// Its number, from 1.
  let number: Int
  /// Its offset in the file, and that of the line after it.
  let start: Int
  let next: Int

  /// - Throws: a `Failure` where the file is no text in UTF-8, or all lines are blank.
  init(_ file: FileHead) throws {
    let head = file.bytes
    path = file.path
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
      throw Failure(.badData, "\(path) is in UTF-16. Convert it to UTF-8, for instance with iconv.")
    }
    guard isText(head) else {
      throw Failure(
        .badData, "\(path) is not a text file: it has a zero byte near its beginning. Set the format.")
    }
    // After a byte order mark of UTF-8.
    var start = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var number = 1
    while true {
      let end = head[start...].firstIndex(of: UInt8(ascii: "\n")) ?? head.count
      if head[start..<end].contains(where: { !isBlank($0) }) {
        var bytes = head[start..<end]
        while bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        self.bytes = bytes
        self.number = number
        self.start = start
        next = min(end + 1, head.count)
        return
      }
      guard end < head.count else { throw Failure(.badData, "\(path) holds no samples: it has no lines.") }
      start = end + 1
      number += 1
    }
  }

  /// The texts of its fields.
  func fields(_ delimiter: UInt8) throws -> [String] {
    try bytes.withUnsafeBufferPointer { bytes in
      try CSVFields.all(in: bytes, delimiter: delimiter) { reason in
        Failure(.badData, "\(path), line \(number): \(reason)")
      }
    }
  }
}
