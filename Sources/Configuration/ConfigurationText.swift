import Files

extension Configuration {
  /// Every key with its value in force, nil where it is unset; values are TOML and JSON at the same time.
  public var settings: [(section: String, name: String, value: String?)] {
    Self.keys.map { ($0.section, $0.name, $0.text(self)) }
  }

  /// The whole configuration in TOML, without comments. Reading it gives the same configuration.
  public var resolved: String { toml(isCommented: false) }

  /// The whole configuration in TOML, each key headed by its meaning: what `--print-config` prints.
  public var commented: String { toml(isCommented: true) }

  /// The fingerprint of the resolved configuration.
  public var sha256: String { sha256Hex(Array(resolved.utf8)) }

  private func toml(isCommented: Bool) -> String {
    var out = ""
    for section in Self.sections {
      out += (out.isEmpty ? "" : "\n") + "[\(section)]\n"
      for key in Self.keys where key.section == section {
        let value = key.text(self)
        if isCommented { out += "\n# \(key.meaning)\n# \(key.accepts)\n" }
        if let value {
          out += "\(key.name) = \(value)\n"
        } else if isCommented {
          out += "# \(key.name) = (not set)\n"
        }
      }
    }
    return out
  }
}

extension Configuration.Key {
  /// What the key accepts and what it is by default, as a sentence.
  fileprivate var accepts: String {
    let accepts = expected.prefix(1).uppercased() + expected.dropFirst()
    guard let standard = text(Configuration()) else { return "\(accepts). Not set by default." }
    let others = presets.map { ", or \($0.value) with preset \($0.name)" }
    return "\(accepts). Default: \(standard)\(others.joined())."
  }

  /// The key's row in docs/configuration.md: name, what it accepts, default, meaning.
  public var manualRow: String {
    let others = presets.map { "; \($0.name): `\($0.value)`" }
    let standard = text(Configuration()).map { "`\($0)`\(others.joined())" } ?? "not set"
    return "| `\(name)` | \(expected) | \(standard) | \(meaning) |"
  }

  /// The defaults under presets, where they are others.
  private var presets: [(name: String, value: String)] {
    Configuration.presets.compactMap { preset in
      guard let value = text(preset.defaults), value != text(Configuration()) else { return nil }
      return (preset.name, value)
    }
  }
}

/// The line, from 1, on which each section and each key of a valid TOML text stands, by `section` and `section.key`.
///
/// The parser does not tell the places of keys, so this walks over the text once: strings, comments and what stands
/// in brackets is passed over.
func keyLines(_ text: String) -> [String: Int] {
  var lines: [String: Int] = [:]
  var scanner = TOMLScanner(text)
  var section = ""
  while let statement = scanner.next() {
    if statement.isHeader { section = statement.name }
    let path = statement.isHeader || section.isEmpty ? statement.name : "\(section).\(statement.name)"
    if lines[path] == nil { lines[path] = statement.line }
    // `a.b = 1` also tells where section a is.
    if let dot = path.firstIndex(of: "."), lines[String(path[..<dot])] == nil {
      lines[String(path[..<dot])] = statement.line
    }
  }
  return lines
}

/// Finds the headers and keys of a valid TOML text, one after the other.
private struct TOMLScanner {
  private let text: [UInt8]
  private var position = 0
  private var line = 1

  init(_ text: String) { self.text = Array(text.utf8) }

  /// The next `[header]` or `key =`, without blanks and quotes; passes over its value.
  mutating func next() -> (name: String, isHeader: Bool, line: Int)? {
    while let byte = peek(), byte == UInt8(ascii: "#") || isBlank(byte) { skipToken() }
    guard let first = peek() else { return nil }
    let isHeader = first == UInt8(ascii: "[")
    let start = position
    let startLine = line
    let end = isHeader ? UInt8(ascii: "]") : UInt8(ascii: "=")
    if isHeader { position += 1 }
    while let byte = peek(), byte != end { skipToken() }
    let name = String(decoding: text[start..<position], as: UTF8.self)
      .filter { !" \t\"'[]".contains($0) }
    position += 1
    skipValue()
    return (name, isHeader, startLine)
  }

  /// Goes to the end of the line that ends the statement: not one inside brackets or a string.
  private mutating func skipValue() {
    var depth = 0
    while let byte = peek() {
      if byte == UInt8(ascii: "\n") && depth <= 0 { return }
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
      if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { depth -= 1 }
      skipToken()
    }
  }

  /// Passes over a string, a comment or one byte.
  private mutating func skipToken() {
    guard let byte = peek() else { return }
    switch byte {
    case UInt8(ascii: "#"):
      while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let isLong = text[position...].starts(with: [byte, byte, byte])
      let quote = [UInt8](repeating: byte, count: isLong ? 3 : 1)
      position += quote.count
      while let inner = peek(), !text[position...].starts(with: quote) {
        if inner == UInt8(ascii: "\\") && byte == UInt8(ascii: "\"") { advance() }
        advance()
      }
      position += quote.count
    default: advance()
    }
  }

  private mutating func advance() {
    if peek() == UInt8(ascii: "\n") { line += 1 }
    position += 1
  }

  private func peek() -> UInt8? { position < text.count ? text[position] : nil }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
      || byte == UInt8(ascii: "\r")
  }
}
