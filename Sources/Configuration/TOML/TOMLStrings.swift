extension TOMLText {
  /// Reads a string, of which a quote comes next.
  mutating func string(isKey: Bool = false) throws(TOMLError) -> String {
    let isLiteral = next == UInt8(ascii: "'")
    let isLong = !isKey && (isLiteral ? isAt("'''") : isAt("\"\"\""))
    let (startLine, start) = (line, position)
    skip(isLong ? 3 : 1)
    if isLong { _ = takeNewline() }
    var content: [UInt8] = []
    while let byte = next {
      if byte == (isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\"")) {
        if takeEnd(isLiteral, isLong, &content) { return String(decoding: content, as: UTF8.self) }
      } else if byte == UInt8(ascii: "\\") && !isLiteral {
        content += try escape(isLong)
      } else if isLong && (byte == UInt8(ascii: "\n") || isAt("\r\n")) {
        _ = takeNewline()
        content.append(UInt8(ascii: "\n"))
      } else {
        guard byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") else { break }
        try refuseControl(byte)
        content.append(byte)
        skip()
      }
    }
    let quote = isLiteral ? "'" : "\""
    guard isLong else { throw error("the string has no end. Close it with \(quote).", at: start) }
    throw error(
      "the string that begins in line \(startLine) has no end. Close it with \(quote)\(quote)\(quote).")
  }

  /// Passes over the quotes that end a string, or takes over one that does not. A long string may end in two quotes of
  /// its own before the three.
  private mutating func takeEnd(_ isLiteral: Bool, _ isLong: Bool, _ content: inout [UInt8]) -> Bool {
    let quote = isLiteral ? UInt8(ascii: "'") : UInt8(ascii: "\"")
    guard isLong else {
      skip()
      return true
    }
    var count = 0
    while next == quote && count < 5 {
      skip()
      count += 1
    }
    content += Array(repeating: quote, count: count < 3 ? count : count - 3)
    return count >= 3
  }

  /// What the escape that comes next stands for, in UTF-8.
  private mutating func escape(_ isLong: Bool) throws(TOMLError) -> [UInt8] {
    let start = position
    skip()
    let letter = next
    skip()
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [letter ?? 0]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "u"): return try scalar(digits: 4, from: start)
    case UInt8(ascii: "U"): return try scalar(digits: 8, from: start)
    case .some where isLong:
      // A backslash at the end of a line joins it with the next text.
      rewind(to: start + 1)
      skipBlanks()
      if takeNewline() {
        repeat { skipBlanks() } while takeNewline()
        return []
      }
    default: break
    }
    throw error("unknown escape. Write \\\\ for a backslash, or use single quotes.", at: start)
  }

  /// The character of so many hex digits. Zero is refused: the system's paths and names end there.
  private mutating func scalar(digits: Int, from start: Int) throws(TOMLError) -> [UInt8] {
    let first = position
    while position < first + digits, let byte = next, isHexDigit(byte) { skip() }
    guard position == first + digits, let value = UInt32(text(from: first), radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw error("\\\(digits == 4 ? "u" : "U") needs \(digits) hex digits of a character.", at: start) }
    guard value != 0 else { throw error("a setting can't hold a zero character. Remove it.", at: start) }
    return Array(String(Character(scalar)).utf8)
  }

  private func isHexDigit(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit && byte < 128 }
}
