import Basics
import Files
import Glibc

/// Makes samples of lines of text. Local: it holds what one rank has met.
struct CSVParser {
  private let layout: CSVLayout
  /// d: the columns without the label.
  private let featureCount: Int
  /// What has been met so far.
  private(set) var intake: Intake
  /// The codes of labels of a few bytes, by these bytes: most labels need not become texts.
  private var shortLabels: [UInt64: Int32] = [:]

  init(layout: CSVLayout, intake: Intake) {
    self.layout = layout
    self.intake = intake
    featureCount = layout.columns - (layout.label == nil ? 0 : 1)
  }

  /// The samples of some whole lines. Blank lines are passed over. Local.
  ///
  /// - Parameters:
  ///   - text: lines with their ends, LF or CR LF; the last may lack it.
  ///   - order: the parcel's place in the file.
  ///   - line: the number of the first line, from 1 where the reader's part begins; on return, of the line after
  ///     the text.
  /// - Throws: `Fault` at the first line that is wrong.
  mutating func parse(_ text: UnsafeBufferPointer<UInt8>, order: Int, line: inout Int) throws -> Parcel {
    var parcel = Parcel(order: order)
    guard var p = text.baseAddress, text.count > 0 else { return parcel }
    let end = p + text.count
    // Blank lines are no samples, and a sample has a byte a column at least.
    let most = min(countLines(text), text.count / layout.columns + 1)
    parcel.features = try [Float](unsafeUninitializedCapacity: most * featureCount) { features, initialized in
      while p < end {
        let newline = memchr(p, 0x0A, end - p).map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
        var last = newline ?? end
        while last > p, isBlank(last[-1]), last[-1] != layout.delimiter || layout.collapses { last -= 1 }
        if last > p, !isBlankLine(p, last) {
          let sample = UnsafeMutableBufferPointer(
            rebasing: features[parcel.count * featureCount..<(parcel.count + 1) * featureCount])
          if try parseRow(p, last, line, into: sample, &parcel) { parcel.count += 1 }
        }
        p = newline.map { $0 + 1 } ?? end
        line += 1
      }
      initialized = parcel.count * featureCount
    }
    // Give back the room of samples that were left out.
    if parcel.count < most / 2 { parcel.features = Array(parcel.features[...]) }
    return parcel
  }

  /// One sample. Returns false where the selection leaves it out.
  @inline(__always)
  private mutating func parseRow(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ line: Int,
    into sample: UnsafeMutableBufferPointer<Float>, _ parcel: inout Parcel
  ) throws -> Bool {
    let delimiter = layout.delimiter
    let collapses = layout.collapses
    let label = layout.label ?? -1
    var p = start
    var k = 0
    var isTaken = true
    for column in 0..<layout.columns {
      if column > 0 {
        guard p < end else { throw wrongCount(start, end, line) }
        p += 1
      }
      if collapses { while p < end, p.pointee == delimiter { p += 1 } }
      if column == label {
        (isTaken, p) = try parseLabel(p, end, line, column, into: &parcel)
        continue
      }
      (sample[k], p) = try parseNumber(p, end, line, column)
      k += 1
    }
    guard p == end else { throw wrongCount(start, end, line) }
    return isTaken
  }

  /// Returns false where the selection leaves the sample out, and the end of the field.
  private mutating func parseLabel(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ line: Int, _ column: Int,
    into parcel: inout Parcel
  ) throws -> (Bool, UnsafePointer<UInt8>) {
    do {
      if intake.task == .regression {
        let (target, q) = try parseNumber(p, end, line, column)
        return (try intake.take(Double(target), into: &parcel), q)
      }
      let field = try CSVFields.field(p, end, delimiter: layout.delimiter) { fault(line, column, $0) }
      let key = field.shortKey
      if let key, let code = shortLabels[key] { return (intake.take(code: code, into: &parcel), field.end) }
      let text = try CSVFields.text(field) { fault(line, column, $0) }
      let isTaken = try intake.take(text, into: &parcel)
      if let key, shortLabels.count < LabelTable.limit {
        shortLabels[key] = isTaken ? parcel.codes.last : LabelTable.leftOut
      }
      return (isTaken, field.end)
    } catch let refusal as LabelTable.Refusal {
      throw fault(line, column, refusal.message)
    }
  }

  /// The number of the field at `p`, and the end of the field.
  @inline(__always)
  private func parseNumber(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ line: Int, _ column: Int
  ) throws -> (Float, UnsafePointer<UInt8>) {
    var q = p
    if let number = parseDecimal(&q, end), q == end || q.pointee == layout.delimiter, number.isFinite {
      return (number, q)
    }
    return try parseOddNumber(p, end, line, column)
  }

  /// A field that is no plain number: blanks or quotes around one, a missing value, or a mistake.
  @inline(never)
  private func parseOddNumber(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ line: Int, _ column: Int
  ) throws -> (Float, UnsafePointer<UInt8>) {
    let field = try CSVFields.next(p, end, delimiter: layout.delimiter) { fault(line, column, $0) }
    var text = field.text
    let number = text.withUTF8 { bytes -> Float? in
      guard var q = bytes.baseAddress else { return nil }
      let last = q + bytes.count
      let value = parseDecimal(&q, last)
      return q == last ? value : nil
    }
    if let number, number.isFinite { return (number, field.end) }
    let isInfinite = number != nil || isInfinity(text)
    if intake.missing == .keepNaN && (isInfinite || isMissingValue(text)) { return (.nan, field.end) }
    throw wrongNumber(text, isTooLarge: number != nil, isInfinite: isInfinite, line, column)
  }

  private func wrongNumber(
    _ text: String, isTooLarge: Bool, isInfinite: Bool, _ line: Int, _ column: Int
  ) -> Fault {
    let shown = "\"\(shortened(text))\""
    if text.isEmpty && layout.endsEmpty && column == layout.columns - 1 {
      return fault(
        line, column,
        "the lines end in a delimiter, which makes an empty last column. Remove it from their ends.")
    }
    if text.isEmpty { return fault(line, column, "the field is empty. Fill it in, or remove the line.") }
    if isTooLarge {
      return fault(
        line, column,
        "\(shown) is too large for single precision. Rescale the column, or remove the line.")
    }
    if isInfinite || isMissingValue(text) {
      return fault(line, column, "\(shown) is not a finite number. Replace it, or remove the line.")
    }
    if isDecimalComma(text) {
      return fault(line, column, "\(shown) has a comma, and numbers have decimal points. Write points.")
    }
    if column == layout.label {
      return fault(
        line, column,
        "the label \(shown) is not a number, as a regression needs. Set task = \"classification\", or "
          + "\(layout.labelSource?.choice ?? "").")
    }
    if layout.textColumns.contains(column) { return fault(line, column, textColumn(shown)) }
    return fault(
      line, column, "\(shown) is not a number. Correct the file, or remove the line.",
      inFirstLine:
        "\(shown) is not a number. Correct the file, or set header = true if the line names the columns.")
  }

  /// Of a column that holds texts throughout: it may be the label.
  private func textColumn(_ shown: String) -> String {
    let reason = "\(shown) is not a number, and this column holds texts. "
    guard let label = layout.labelSource else {
      return reason + "Features must be numbers: remove the column."
    }
    return reason + "The label is taken from \(label.place): \(label.choice), or remove this one."
  }

  /// - Parameter inFirstLine: the reason to give where this is line 1 of a file without header.
  private func fault(_ line: Int, _ column: Int, _ reason: String, inFirstLine: String? = nil) -> Fault {
    let place = layout.describe(column: column)
    let path = layout.path
    let first = layout.hasHeader ? nil : layout.firstLine
    return Fault(index: line) {
      "\(path), line \($0), \(place): \($0 == first ? inFirstLine ?? reason : reason)"
    }
  }

  @inline(never)
  private func wrongCount(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ line: Int) -> Fault {
    let path = layout.path
    let expected = layout.columns
    let bytes = UnsafeBufferPointer(start: start, count: end - start)
    do {
      let found = try CSVFields.forEach(in: bytes, delimiter: layout.delimiter) { reason in
        Fault(index: line) { "\(path), line \($0): \(reason)" }
      }
      let isEmptyAtEnd = found == expected + 1 && layout.delimiter == end[-1]
      return Fault(index: line) {
        "\(path), line \($0) has \(found) column\(found == 1 ? "" : "s") where the first line has \(expected)"
          + (isEmptyAtEnd ? ": it ends in a delimiter. " : ". ") + "Correct the file, or remove the line."
      }
    } catch let fault as Fault {
      return fault
    } catch {
      return Fault(index: line) { "\(path), line \($0): \(error)" }
    }
  }
}

/// How many lines a text has, a last one without its end included.
func countLines(_ text: UnsafeBufferPointer<UInt8>) -> Int {
  guard let last = text.last else { return 0 }
  var count = last == 0x0A ? 0 : 1
  for byte in text { count &+= byte == 0x0A ? 1 : 0 }
  return count
}

@inline(__always)
private func isBlankLine(_ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
  var q = p
  while q < end, isBlank(q.pointee) { q += 1 }
  return q == end
}
