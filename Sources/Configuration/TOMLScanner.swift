/// Walks over a TOML text for what TOMLKit leaves open: on which lines headers and keys stand, and whether the text is
/// one over which toml++ would end the process.
///
/// It takes the text for valid: what is not, TOMLKit refuses before it comes to anything that was misread here.
struct TOMLScanner {
  /// The beginning of a statement.
  struct Statement {
    /// Without blanks, quotes and brackets.
    let name: String
    let isHeader: Bool
    /// From 1.
    let line: Int
  }

  /// What toml++ does not survive.
  struct Fault: Error {
    /// From 1, in characters.
    let line: Int, column: Int
    let message: String
  }

  /// Tables lie in each other as deep as a name has parts, and toml++ takes them down by recursion.
  private static let mostParts = 32

  private let text: [UInt8]
  /// After a byte order mark.
  private let beginning: Int
  private var position: Int
  private var line = 1
  /// Dots since the last byte that ends a name.
  private var dots = 0

  init(_ text: String) {
    self.text = Array(text.utf8)
    beginning = self.text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    position = beginning
  }

  /// The next `[header]` or `key =`; passes over its value. `nil` at the end.
  mutating func next() throws(Fault) -> Statement? {
    while let byte = peek(), byte == UInt8(ascii: "#") || isBlank(byte) || byte == UInt8(ascii: "\n") {
      try skipToken()
    }
    guard let first = peek() else { return nil }
    let isHeader = first == UInt8(ascii: "[")
    let (start, startLine) = (position, line)
    if isHeader { try checkHeader() }
    let end = isHeader ? UInt8(ascii: "]") : UInt8(ascii: "=")
    while let byte = peek(), byte != end, byte != UInt8(ascii: "\n") { try skipToken() }
    let name = String(decoding: text[start..<position], as: UTF8.self).filter { !" \t\"'[]".contains($0) }
    try skipValue()
    return Statement(name: name, isHeader: isHeader, line: startLine)
  }

  /// Passes over the brackets of a header. toml++ asserts that a name begins after them.
  private mutating func checkHeader() throws(Fault) {
    position += 1
    if peek() == UInt8(ascii: "[") { position += 1 }
    while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    guard let byte = peek(), !isNameByte(byte), byte != UInt8(ascii: "]") else { return }
    throw fault("expected a section's name: letters from A to Z, digits, _ and -. Put other names in quotes.")
  }

  /// Goes to the end of the line that ends the statement: not one inside brackets or a string.
  private mutating func skipValue() throws(Fault) {
    var depth = 0
    while let byte = peek() {
      if byte == UInt8(ascii: "\n") && depth <= 0 { return }
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
      if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { depth -= 1 }
      try skipToken()
    }
  }

  /// Passes over a string, a comment or one byte.
  private mutating func skipToken() throws(Fault) {
    guard let byte = peek() else { return }
    switch byte {
    case 0: throw fault("there is a zero byte, so it is no text.")
    case UInt8(ascii: "#"):
      while let byte = peek(), byte != UInt8(ascii: "\n"), byte != 0 { position += 1 }
    case UInt8(ascii: "\""), UInt8(ascii: "'"): try skipString(byte)
    case UInt8(ascii: "."):
      dots += 1
      guard dots < Self.mostParts else { throw fault("the name has too many parts.") }
      advance()
    default:
      if !isNameByte(byte) && !isBlank(byte) { dots = 0 }
      advance()
    }
  }

  /// Passes over a string. A long one may end in one or two quotes of its own before the three that close it.
  ///
  /// TOMLKit's strings end at a zero character, so that there must be none.
  private mutating func skipString(_ quote: UInt8) throws(Fault) {
    let isLong = quotes(quote) >= 3
    position += isLong ? 3 : 1
    while let byte = peek() {
      if byte == quote {
        let count = quotes(quote)
        if !isLong || count >= 3 {
          position += isLong ? count : 1
          return
        }
      }
      if byte == 0 || byte == UInt8(ascii: "\n") && !isLong { return }
      if byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") {
        guard !["\\u0000", "\\U00000000"].contains(where: { text[position...].starts(with: $0.utf8) }) else {
          throw fault("the string holds a zero character.")
        }
        advance()
      }
      advance()
    }
  }

  /// How many quotes stand here in a row; 5 stand for more.
  private func quotes(_ quote: UInt8) -> Int { text[position...].prefix(5).prefix { $0 == quote }.count }

  private func fault(_ message: String) -> Fault {
    let start = text[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? beginning
    let column = text[start..<position].count { $0 & 0xC0 != 0x80 } + 1
    return Fault(line: line, column: column, message: message)
  }

  private mutating func advance() {
    guard let byte = peek() else { return }
    if byte == UInt8(ascii: "\n") { line += 1 }
    position += 1
  }

  private func peek() -> UInt8? { position < text.count ? text[position] : nil }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  /// Whether a name, or a part of one, may have this byte, or begin in quotes with it.
  private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""),
      UInt8(ascii: "'"):
      true
    default: false
    }
  }
}

/// The line, from 1, on which each section and each key of a TOML text stands, by `section` and `section.key`.
///
/// - Throws: a `TOMLScanner.Fault` where toml++ would end the process over the text.
func keyLines(_ text: String) throws(TOMLScanner.Fault) -> [String: Int] {
  var lines: [String: Int] = [:]
  var scanner = TOMLScanner(text)
  var section = ""
  while let statement = try scanner.next() {
    if statement.isHeader { section = statement.name }
    let path = statement.isHeader || section.isEmpty ? statement.name : "\(section).\(statement.name)"
    // `a.b = 1` also tells where section a is.
    for end in path.indices.filter({ path[$0] == "." }) + [path.endIndex] {
      lines[String(path[..<end]), default: statement.line] += 0
    }
  }
  return lines
}
