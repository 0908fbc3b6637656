/// Why a text is no TOML, and where.
struct TOMLError: Error {
  /// From 1.
  let line: Int
  /// In characters, from 1.
  let column: Int
  /// One or two sentences.
  let message: String
}

/// A TOML text, and how far it has been read.
struct TOMLText {
  private let utf8: [UInt8]
  private(set) var position = 0
  /// From 1.
  private(set) var line = 1
  private var lineStart = 0

  init(_ text: String) {
    utf8 = Array(text.utf8)
    // A byte order mark.
    if utf8.starts(with: [0xEF, 0xBB, 0xBF]) { (position, lineStart) = (3, 3) }
  }

  /// What comes next; nil at the end.
  var next: UInt8? { position < utf8.count ? utf8[position] : nil }

  /// Whether these come next.
  func isAt(_ expected: StaticString) -> Bool {
    guard position + expected.utf8CodeUnitCount <= utf8.count else { return false }
    return (0..<expected.utf8CodeUnitCount).allSatisfy { utf8[position + $0] == expected.utf8Start[$0] }
  }

  /// Goes on by so many bytes of a line.
  mutating func skip(_ count: Int = 1) { position += count }

  /// Goes back to a position in the same line.
  mutating func rewind(to position: Int) { self.position = position }

  /// Passes over these if they come next.
  mutating func take(_ expected: StaticString) -> Bool {
    guard isAt(expected) else { return false }
    skip(expected.utf8CodeUnitCount)
    return true
  }

  /// Passes over the end of a line, if it comes next.
  mutating func takeNewline() -> Bool {
    guard take("\n") || take("\r\n") else { return false }
    line += 1
    lineStart = position
    return true
  }

  /// Passes over blanks within the line.
  mutating func skipBlanks() {
    while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { skip() }
  }

  /// Passes over blanks, comments and ends of lines.
  mutating func skipLines() throws(TOMLError) {
    repeat {
      skipBlanks()
      try skipComment()
    } while takeNewline()
  }

  /// Passes over a comment, if one comes next, up to the end of its line.
  mutating func skipComment() throws(TOMLError) {
    guard next == UInt8(ascii: "#") else { return }
    while let byte = next, byte != UInt8(ascii: "\n"), !isAt("\r\n") {
      try refuseControl(byte)
      skip()
    }
  }

  /// Throws at a byte that may stand neither in a comment nor in a string.
  func refuseControl(_ byte: UInt8) throws(TOMLError) {
    guard (byte < 32 && byte != UInt8(ascii: "\t")) || byte == 127 else { return }
    throw error(
      "control character \(byte). Remove it; in a string it can be written as \\u and four hex digits.")
  }

  /// The bytes from a position to here.
  func bytes(from start: Int) -> ArraySlice<UInt8> { utf8[start..<position] }

  /// The text from a position to here.
  func text(from start: Int) -> String { String(decoding: bytes(from: start), as: UTF8.self) }

  /// An error at a position of this line, or here.
  func error(_ message: String, at position: Int? = nil) -> TOMLError {
    let before = utf8[lineStart..<min(position ?? self.position, utf8.count)]
    // The bytes that begin a character.
    return TOMLError(line: line, column: 1 + before.count { $0 & 0xC0 != 0x80 }, message: message)
  }
}
