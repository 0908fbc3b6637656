import Basics

/// The first lines of a text that are not blank: what its layout is guessed from.
struct CSVHead {
  /// More lines than this are not looked at.
  private static let most = 20

  struct Line {
    /// Without its end.
    let bytes: ArraySlice<UInt8>
    /// Its number, from 1.
    let number: Int
    /// Its offset in the file, and that of the line after it.
    let start: Int
    let next: Int
  }

  let path: String
  let first: Line
  /// Those after the first. A line that the head may have cut off is none.
  let others: [Line]

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
    var lines: [Line] = []
    while start < head.count, lines.count < Self.most {
      let newline = head[start...].firstIndex(of: UInt8(ascii: "\n"))
      guard newline != nil || file.isWhole || lines.isEmpty else { break }
      let end = newline ?? head.count
      if head[start..<end].contains(where: { !isBlank($0) }) {
        var bytes = head[start..<end]
        while bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        lines.append(Line(bytes: bytes, number: number, start: start, next: min(end + 1, head.count)))
      }
      start = end + 1
      number += 1
    }
    guard let first = lines.first else {
      throw Failure(.badData, "\(path) holds no samples: it has no lines.")
    }
    guard !first.bytes.contains(UInt8(ascii: "\r")) else {
      throw Failure(
        .badData,
        "\(path), line \(first.number): the lines end in carriage returns alone, which can't be read. "
          + "Convert them: tr '\\r' '\\n' < OLD > NEW.")
    }
    self.first = first
    others = Array(lines.dropFirst())
  }

  /// The lines cut at a delimiter. `nil` where the first line can't be.
  func cut(at delimiter: UInt8) -> CSVCells? {
    guard let first = CSVCells.Row(first, delimiter) else { return nil }
    return CSVCells(
      delimiter: delimiter, first: first, others: others.compactMap { CSVCells.Row($0, delimiter) })
  }
}

/// The first lines of a text as one delimiter cuts them.
struct CSVCells {
  /// What a field looks like.
  enum Kind {
    case number
    /// A number with a comma for its point, as 0,5.
    case decimalComma
    case missing
    case word
  }

  struct Cell: Equatable {
    let text: String
    let kind: Kind
    let isQuoted: Bool
  }

  struct Row {
    /// A quote is not closed.
    private struct Uncut: Error {}

    /// More fields than this are counted only.
    private static let most = 1_000
    /// A longer field, in bytes, is a word.
    static let longest = 200

    /// How many fields the line has.
    private(set) var count = 0
    /// The first of them.
    private(set) var cells: [Cell] = []

    init?(_ line: CSVHead.Line, _ delimiter: UInt8) {
      do {
        count = try line.bytes.withUnsafeBufferPointer { bytes in
          try CSVFields.forEach(in: bytes, delimiter: delimiter, failure: { _ in Uncut() }) {
            field in
            guard cells.count < Self.most else { return }
            let text = String(decoding: field.bytes.prefix(Self.longest), as: UTF8.self)
            let kind = field.bytes.count > Self.longest ? .word : Kind(text)
            cells.append(Cell(text: text, kind: kind, isQuoted: field.isQuoted))
          }
        }
      } catch {
        return nil
      }
    }
  }

  let delimiter: UInt8
  let first: Row
  let others: [Row]

  /// The lines after the first that have as many fields.
  var body: [Row] { others.filter { $0.count == first.count } }

  /// The share of numbers among the fields: of the lines after the first where there are any. A line of another length
  /// counts as words.
  var shareOfNumbers: Double {
    var (numbers, words) = (0, 0)
    for row in others.isEmpty ? [first] : others {
      for cell in row.cells where cell.kind != .missing {
        if row.count == first.count && cell.kind != .word { numbers += 1 } else { words += 1 }
      }
    }
    return Double(numbers) / Double(max(numbers + words, 1))
  }

  /// The first number with a decimal comma.
  var decimalComma: String? {
    ([first] + body).lazy.flatMap(\.cells).first { $0.kind == .decimalComma }?.text
  }

  /// Whether all lines are cut into the same fields.
  func isSame(as other: CSVCells) -> Bool {
    first.count == other.first.count && first.cells == other.first.cells
      && others.map(\.cells) == other.others.map(\.cells)
  }
}

extension CSVCells.Kind {
  init(_ text: String) {
    if isMissingValue(text) {
      self = .missing
    } else if decimalValue(text) != nil || isInfinity(text) {
      self = .number
    } else {
      self = isDecimalComma(text) ? .decimalComma : .word
    }
  }
}

/// Whether a text is a number but for a comma between two of its digits, in place of a point.
func isDecimalComma(_ text: String) -> Bool {
  guard text.utf8.count <= CSVCells.Row.longest else { return false }
  let parts = text.split(separator: ",", omittingEmptySubsequences: false)
  guard parts.count == 2, let before = parts[0].last, let after = parts[1].first else { return false }
  return before.isNumber && after.isNumber && decimalValue(parts[0] + "." + parts[1]) != nil
}
