import Basics
import Settings

/// What a TOML text says: the header of a section, or a key's value.
struct TOMLStatement: Equatable {
  /// The section, the key, and what may be below.
  let path: [String]
  /// nil for a section.
  let value: SettingValue?
  /// From 1.
  let line: Int

  /// All statements of a text, in their order (toml.io, version 1.0). Local; deterministic; linear in the text.
  ///
  /// Arrays of tables, which no configuration has, are refused. A table below a key is that key with the value `table`.
  static func all(of text: String) throws(TOMLError) -> [TOMLStatement] {
    var parser = TOMLParser(text)
    return try parser.statements()
  }
}

extension SettingValue {
  /// The value of a `--set` option: TOML, or else a bare word that stands for a string.
  init(option text: String) {
    var parser = TOMLParser(text)
    self = (try? parser.loneValue()) ?? .text(text)
  }
}

/// Statements one after the other. Recursion is bounded by `deepest`.
private struct TOMLParser {
  /// How many brackets may be open at a time.
  private static let deepest = 32

  private var text: TOMLText
  private var names = TOMLNames()
  private var found: [TOMLStatement] = []
  /// The table that keys are in.
  private var table: [String] = []

  init(_ text: String) { self.text = TOMLText(text) }

  mutating func statements() throws(TOMLError) -> [TOMLStatement] {
    while true {
      try text.skipLines()
      guard let byte = text.next else { return found }
      if byte == UInt8(ascii: "[") { try header() } else { try keyAndValue(in: table, depth: 0) }
      text.skipBlanks()
      try text.skipComment()
      guard text.takeNewline() || text.next == nil else {
        throw text.error("more than one statement in a line. Begin a new line, or put a text in quotes.")
      }
    }
  }

  /// A value and nothing else.
  mutating func loneValue() throws(TOMLError) -> SettingValue {
    text.skipBlanks()
    let value = try value(at: nil, depth: 0)
    text.skipBlanks()
    try text.skipComment()
    guard text.next == nil else { throw text.error("more than a value.") }
    return value
  }

  private mutating func header() throws(TOMLError) {
    let start = text.position
    let line = text.line
    _ = text.take("[")
    guard text.next != UInt8(ascii: "[") else {
      throw text.error("no section is a list of tables. Write the name in single brackets.", at: start)
    }
    let path = try dottedName("a section's name")
    guard text.take("]") else { throw text.error("the section's name has no end. Close it with ].") }
    guard names.add(header: path) else {
      throw text.error("[\(shortened(path.joined(separator: ".")))] is there already.", at: start)
    }
    table = path
    note(path, nil, line)
  }

  /// `a.b = value`.
  private mutating func keyAndValue(in table: [String], depth: Int) throws(TOMLError) {
    let start = text.position
    let line = text.line
    let key = try dottedName("a key")
    guard text.take("=") else {
      throw text.error("\(shortened(key.joined(separator: "."))) needs = and a value after it.")
    }
    guard names.add(key: key, of: table) else {
      throw text.error(
        "\(shortened(key.joined(separator: "."))) is set already. Remove one of the two.", at: start)
    }
    text.skipBlanks()
    let path = table + key
    if text.next == UInt8(ascii: "{") { note(path, nil, line) }
    let value = try value(at: path, depth: depth)
    if value != .table { note(path, value, line) }
  }

  /// Keeps a statement about a section or a key. What is deeper makes its key a table.
  private mutating func note(_ path: [String], _ value: SettingValue?, _ line: Int) {
    let own = Array(path.prefix(2))
    let isKey = path.count == 2 && value != nil
    if path.count <= 2 && (isKey || path.count == 1) {
      found.append(TOMLStatement(path: path, value: value, line: line))
    } else if found.last?.path != own {
      found.append(TOMLStatement(path: own, value: .table, line: line))
    }
  }

  /// A name of one or more parts, with the blanks around them.
  private mutating func dottedName(_ what: String) throws(TOMLError) -> [String] {
    var parts: [String] = []
    repeat {
      guard parts.count < Self.deepest else { throw text.error("a name has too many parts.") }
      text.skipBlanks()
      parts.append(try part(what))
      text.skipBlanks()
    } while text.take(".")
    return parts
  }

  private mutating func part(_ what: String) throws(TOMLError) -> String {
    if text.next == UInt8(ascii: "\"") || text.next == UInt8(ascii: "'") {
      return try text.string(isKey: true)
    }
    let start = text.position
    while let byte = text.next, isBare(byte) { text.skip() }
    guard text.position > start else {
      throw text.error("expected \(what): letters from A to Z, digits, _ and -. Put other names in quotes.")
    }
    return text.text(from: start)
  }

  private func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Any value. An inline table's keys become statements, unless it stands in a list.
  private mutating func value(at path: [String]?, depth: Int) throws(TOMLError) -> SettingValue {
    guard depth < Self.deepest else { throw text.error("brackets are nested too deeply.") }
    switch text.next {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try text.string())
    case UInt8(ascii: "["): return try list(depth)
    case UInt8(ascii: "{"):
      if let path {
        try inlineTable(at: path, depth)
      } else {
        // Its keys say nothing, but are TOML nevertheless.
        var inner = self
        (inner.names, inner.found) = (TOMLNames(), [])
        try inner.inlineTable(at: [], depth)
        text = inner.text
      }
      return .table
    default: return try text.scalar()
    }
  }

  private mutating func list(_ depth: Int) throws(TOMLError) -> SettingValue {
    _ = text.take("[")
    var values: [SettingValue] = []
    while true {
      try text.skipLines()
      if text.take("]") { return .list(values) }
      values.append(try value(at: nil, depth: depth + 1))
      try text.skipLines()
      if text.take("]") { return .list(values) }
      guard text.take(",") else { throw text.error("expected a comma or ] in the list.") }
    }
  }

  private mutating func inlineTable(at path: [String], _ depth: Int) throws(TOMLError) {
    _ = text.take("{")
    text.skipBlanks()
    if text.take("}") { return }
    while true {
      try keyAndValue(in: path, depth: depth + 1)
      text.skipBlanks()
      if text.take("}") { return }
      guard text.take(",") else { throw text.error("expected a comma or } in the table.") }
    }
  }
}

/// `text`, or as much of it as a message can hold.
func shortened(_ text: String) -> String {
  text.utf8.count <= 80 ? text : String(text.prefix(60)) + "…"
}
