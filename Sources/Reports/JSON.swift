import Basics

/// A JSON value, to be written.
///
/// Objects keep the order of their keys, so that a file reads like the report and differs only where its values do.
public enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  /// Written as `null` unless it is finite: JSON has no NaN.
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])
  /// Text that is JSON already.
  case verbatim(String)

  /// A key of an object with its value.
  public struct Member: Sendable, Equatable {
    public let key: String
    public let value: JSON

    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// An object of the members that have a value; what does not apply is left out.
  public static func object(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    .object(members.compactMap { key, value in value.map { Member(key, $0) } })
  }

  /// The members of an object; none of another value.
  package var members: [Member] {
    if case .object(let members) = self { members } else { [] }
  }

  /// The value in one line.
  public var compact: String {
    switch self {
    case .null: "null"
    case .bool(let bool): bool ? "true" : "false"
    case .integer(let integer): String(integer)
    case .number(let number): number.isFinite ? "\(number)" : "null"
    case .string(let string): quoted(string)
    case .array(let values): "[" + values.map(\.compact).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { quoted($0.key) + ": " + $0.value.compact }.joined(separator: ", ") + "}"
    case .verbatim(let text): text
    }
  }

  /// The value in many lines, two blanks a level; a list of plain values stays in one line. Ends with a line feed.
  public var document: String { indented("") + "\n" }

  private func indented(_ margin: String) -> String {
    let inner = margin + "  "
    let parts: [String]
    let brackets: (String, String)
    switch self {
    case .object(let members) where !members.isEmpty:
      parts = members.map { quoted($0.key) + ": " + $0.value.indented(inner) }
      brackets = ("{", "}")
    case .array(let values) where values.contains(where: \.isNested):
      parts = values.map { $0.indented(inner) }
      brackets = ("[", "]")
    default:
      return compact
    }
    return brackets.0 + "\n" + parts.map { inner + $0 }.joined(separator: ",\n") + "\n" + margin + brackets.1
  }

  private var isNested: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}
