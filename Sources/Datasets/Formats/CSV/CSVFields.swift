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
