import Basics
import Files
import HDF5
import MPI
import Settings

/// What the first line of a text file tells about all of them.
struct CSVLayout {
  let path: String
  let delimiter: UInt8
  /// Whether line 1 names the columns.
  let hasHeader: Bool
  /// Whether `hasHeader` was found out, not given.
  let isHeaderGuessed: Bool
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
    if hasHeader { return features.map { columnNames[$0] } }
    return (0..<features.count).map { "x\($0 + 1)" }
  }

  /// Consecutive blanks count as one delimiter where the delimiter is a blank.
  var collapses: Bool { delimiter == UInt8(ascii: " ") }

  /// - Parameter head: the beginning of the file with at least its first line that is not blank.
  /// - Throws: a `Failure` where the file and the source don't fit.
  init(head: [UInt8], source: Source) throws {
    path = source.path
    var start = 0
    if head.starts(with: [0xEF, 0xBB, 0xBF]) {
      start = 3
    } else if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
      throw Failure(.badData, "\(path) is in UTF-16. Convert it to UTF-8, for instance with iconv.")
    }
    // The first line that is not blank.
    var line = 1
    var end = start
    while true {
      end = head[start...].firstIndex(of: UInt8(ascii: "\n")) ?? head.count
      if head[start..<end].contains(where: { !isBlank($0) }) { break }
      guard end < head.count else { throw Failure(.badData, "\(path) holds no samples: it has no lines.") }
      start = end + 1
      line += 1
    }
    var first = head[start..<end]
    while let last = first.last, last == UInt8(ascii: "\r") { first.removeLast() }

    let delimiter = try Self.delimiter(of: first, source: source)
    self.delimiter = delimiter
    let place = line
    let texts = try first.withUnsafeBufferPointer { bytes in
      try CSVFields.all(in: bytes, delimiter: delimiter) { reason in
        Failure(.badData, "\(source.path), line \(place): \(reason)")
      }
    }
    columns = texts.count

    var label: Int? = nil
    if case .number(let number) = source.labelColumn {
      guard number >= 1 && number <= texts.count else {
        throw Failure(
          .badConfiguration,
          "\(path) has \(texts.count) columns, and the label is to be in column \(number). "
            + "Set another label column, or check the delimiter.")
      }
      label = number - 1
    }
    if let header = source.header {
      hasHeader = header
    } else if case .name = source.labelColumn {
      hasHeader = true
    } else {
      let others = texts.indices.filter { $0 != label }.map { texts[$0] }
      let words = others.filter { !isMissingValue($0) && decimalValue($0) == nil }
      hasHeader = !words.isEmpty && !others.contains { decimalValue($0) != nil }
    }
    isHeaderGuessed = source.header == nil
    let names = hasHeader ? texts : []
    columnNames = names
    if case .name(let name) = source.labelColumn {
      guard let index = names.firstIndex(of: name) else {
        throw Failure(
          .badConfiguration,
          hasHeader
            ? "\(path) has no column \"\(name)\" for the label; line \(line) has: "
              + names.prefix(20).joined(separator: ", ") + "."
            : "The label column \"\(name)\" of \(path) is a name, and header = false says that there are none. "
              + "Give its number.")
      }
      label = index
    }
    self.label = label
    guard columns > (label == nil ? 0 : 1) else {
      throw Failure(
        .badData,
        "\(path) has one column only, the label, and no features. Check the delimiter and the label column.")
    }
    dataStart = hasHeader ? min(end + 1, head.count) : start
    firstLine = hasHeader ? line + 1 : line
  }

  /// `column 7 (jet_pt)`, for messages.
  func describe(column: Int) -> String {
    hasHeader ? "column \(column + 1) (\(columnNames[column]))" : "column \(column + 1)"
  }

  private static func delimiter(of line: ArraySlice<UInt8>, source: Source) throws -> UInt8 {
    if let given = source.delimiter {
      guard let byte = given.asciiValue, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n"),
        decimalValue("1\(given)2") == nil
      else {
        throw Failure(
          .badConfiguration, "\"\(given)\" can't be the delimiter of \(source.path). Set another character.")
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
}

/// Whether a byte is a blank, a tab, or the first half of a CR LF.
@inline(__always)
func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}

/// The fields of one line, as RFC 4180 quotes them.
enum CSVFields {
  /// The text of the field at `p`, without quotes and without blanks around it, and the delimiter or end after it.
  ///
  /// A line break inside quotes is not supported.
  ///
  /// - Throws: `failure(reason)` where a quote is not closed before `end`, or more follows it in the field.
  static func next(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, delimiter: UInt8, failure: (String) -> any Error
  ) throws -> (text: String, end: UnsafePointer<UInt8>) {
    func isPadding(_ byte: UInt8) -> Bool { isBlank(byte) && byte != delimiter }
    var first = p
    while first < end, isPadding(first.pointee) { first += 1 }
    guard first < end, first.pointee == UInt8(ascii: "\"") else {
      var last = first
      while last < end, last.pointee != delimiter { last += 1 }
      let after = last
      while last > first, isPadding(last[-1]) { last -= 1 }
      return (String(decoding: UnsafeBufferPointer(start: first, count: last - first), as: UTF8.self), after)
    }
    var bytes: [UInt8] = []
    var q = first + 1
    while true {
      guard q < end else {
        throw failure(
          "a quoted field is not closed on its line. Close the quote; line breaks inside quotes are not supported."
        )
      }
      if q.pointee == UInt8(ascii: "\"") {
        guard q + 1 < end, q[1] == UInt8(ascii: "\"") else { break }
        q += 1
      }
      bytes.append(q.pointee)
      q += 1
    }
    q += 1
    while q < end, isPadding(q.pointee) { q += 1 }
    guard q == end || q.pointee == delimiter else {
      throw failure("text follows a closing quote. Double the quotes inside a quoted field.")
    }
    return (String(decoding: bytes, as: UTF8.self), q)
  }

  /// The texts of all fields of a line without its line end.
  static func all(
    in line: UnsafeBufferPointer<UInt8>, delimiter: UInt8, failure: (String) -> any Error
  ) throws -> [String] {
    guard var p = line.baseAddress else { return [] }
    let blank = UInt8(ascii: " ")
    var end = p + line.count
    if delimiter == blank { while end > p, end[-1] == blank { end -= 1 } }
    var texts: [String] = []
    while true {
      if delimiter == blank { while p < end, p.pointee == blank { p += 1 } }
      let field = try next(p, end, delimiter: delimiter, failure: failure)
      texts.append(field.text)
      guard field.end < end else { return texts }
      p = field.end + 1
    }
  }
}
