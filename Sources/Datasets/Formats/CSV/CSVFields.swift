import Glibc

/// Whether a byte is a blank, a tab, or the first half of a CR LF.
@inline(__always)
func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}

/// The fields of one line, as RFC 4180 quotes them. A line break inside quotes is not supported.
enum CSVFields {
  /// Where a field lies.
  struct Field {
    /// Its bytes, without quotes and without blanks around it.
    let bytes: UnsafeBufferPointer<UInt8>
    let isQuoted: Bool
    /// The delimiter after it, or the end of the line.
    let end: UnsafePointer<UInt8>

    /// Up to seven bytes without quotes as a number that no other bytes have.
    @inline(__always)
    var shortKey: UInt64? {
      guard !isQuoted, (1...7).contains(bytes.count) else { return nil }
      // The leading 1 tells how many there are, zero bytes included.
      return bytes.reduce(1) { $0 << 8 | UInt64($1) }
    }
  }

  /// The field that begins at `p`.
  ///
  /// - Throws: `failure(reason)` where a quote is not closed before `end`, or more follows it in the field.
  static func field(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, delimiter: UInt8, failure: (String) -> any Error
  ) throws -> Field {
    func isPadding(_ byte: UInt8) -> Bool { isBlank(byte) && byte != delimiter }
    var first = p
    while first < end, isPadding(first.pointee) { first += 1 }
    guard first < end, first.pointee == UInt8(ascii: "\"") else {
      var last = first
      while last < end, last.pointee != delimiter { last += 1 }
      let after = last
      while last > first, isPadding(last[-1]) { last -= 1 }
      return Field(
        bytes: UnsafeBufferPointer(start: first, count: last - first), isQuoted: false, end: after)
    }
    first += 1
    var q = first
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
      q += 1
    }
    let bytes = UnsafeBufferPointer(start: first, count: q - first)
    q += 1
    while q < end, isPadding(q.pointee) { q += 1 }
    guard q == end || q.pointee == delimiter else {
      throw failure("text follows a closing quote. Double the quotes inside a quoted field.")
    }
    return Field(bytes: bytes, isQuoted: true, end: q)
  }

  /// The text of a field.
  ///
  /// - Throws: `failure(reason)` where its bytes are no text.
  static func text(_ field: Field, failure: (String) -> any Error) throws -> String {
    let bytes = field.bytes
    if let base = bytes.baseAddress, memchr(base, 0, bytes.count) != nil {
      throw failure("the field holds a zero byte, so the file is damaged or is no text. Correct the file.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw failure(
        "the field is not UTF-8 text. Convert the file, for instance with iconv -f LATIN1 -t UTF-8.")
    }
    let isEscaped = field.isQuoted && text.utf8.contains(UInt8(ascii: "\""))
    return isEscaped ? text.replacing("\"\"", with: "\"") : text
  }

  /// The text of the field at `p`, and the delimiter or end after it.
  static func next(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, delimiter: UInt8, failure: (String) -> any Error
  ) throws -> (text: String, end: UnsafePointer<UInt8>) {
    let field = try field(p, end, delimiter: delimiter, failure: failure)
    return (try text(field, failure: failure), field.end)
  }

  /// Calls `body` for each field of a line without its line end. Returns how many there are.
  @discardableResult
  static func forEach(
    in line: UnsafeBufferPointer<UInt8>, delimiter: UInt8, failure: (String) -> any Error,
    _ body: (Field) throws -> Void = { _ in }
  ) throws -> Int {
    guard var p = line.baseAddress else { return 0 }
    let blank = UInt8(ascii: " ")
    var end = p + line.count
    if delimiter == blank { while end > p, end[-1] == blank { end -= 1 } }
    var count = 0
    while true {
      if delimiter == blank { while p < end, p.pointee == blank { p += 1 } }
      let field = try field(p, end, delimiter: delimiter, failure: failure)
      try body(field)
      count += 1
      guard field.end < end else { return count }
      p = field.end + 1
    }
  }
}
