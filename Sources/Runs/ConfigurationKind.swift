import Glibc
import TOMLKit

/// A value as a TOML file has it.
enum TOMLDatum: Sendable, Equatable {
  case text(String)
  case whole(Int)
  case number(Double)
  case truth(Bool)
  case list([TOMLDatum])
  case table
  case time

  init(_ value: TOMLValueConvertible) {
    self =
      switch value.type {
      case .string: .text(value.string ?? "")
      case .int: .whole(value.int ?? 0)
      case .double: .number(value.double ?? .nan)
      case .bool: .truth(value.bool ?? false)
      case .array: .list((value.array ?? TOMLArray()).map { TOMLDatum($0) })
      case .table: .table
      case .date, .time, .dateTime: .time
      }
  }

  /// The value of a `--set` option: TOML, or else a bare word that stands for a string.
  init(option text: String) {
    guard !text.contains("\n"), let table = try? TOMLTable(string: "value = \(text)"), table.count == 1,
      let value = table["value"]
    else {
      self = .text(text)
      return
    }
    self = TOMLDatum(value)
  }

  /// The value in TOML; what can stand in a key's value is JSON as well.
  var toml: String {
    switch self {
    case .text(let text): quoted(text)
    case .whole(let whole): "\(whole)"
    case .number(let number): "\(number)"
    case .truth(let truth): "\(truth)"
    case .list(let list): "[\(list.map(\.toml).joined(separator: ", "))]"
    case .table: "{…}"
    case .time: "a date or time"
    }
  }
}

/// `text` in double quotes, escaped so that TOML and JSON read it alike.
package func quoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case _ where scalar.value < 32 || scalar.value == 127:
      let digits = String(scalar.value, radix: 16)
      out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

/// The type and range of a key: what it accepts, and how it is written.
struct Kind<Value: Sendable>: Sendable {
  /// Completes "expected …", such as "a positive number".
  let expected: String
  /// The value, or nil if it is of another type or out of range.
  let read: @Sendable (TOMLDatum) -> Value?
  /// The value in TOML.
  let write: @Sendable (Value) -> TOMLDatum
  /// One more sentence about a value that was refused.
  var hint: @Sendable (TOMLDatum) -> String? = { _ in nil }
}

extension Kind {
  /// true or false.
  static func truth() -> Kind<Bool> where Value == Bool {
    Kind<Bool>(expected: "true or false") {
      if case .truth(let truth) = $0 { truth } else { nil }
    } write: {
      .truth($0)
    }
  }

  /// A string that is not empty.
  static func text(_ expected: String) -> Kind<String> where Value == String {
    Kind<String>(expected: expected) {
      if case .text(let text) = $0, !text.isEmpty { text } else { nil }
    } write: {
      .text($0)
    }
  }

  /// A whole number from `least` on.
  static func whole(from least: Int) -> Kind<Int> where Value == Int {
    Kind<Int>(expected: "a whole number, \(least) or more") {
      if case .whole(let whole) = $0, whole >= least { whole } else { nil }
    } write: {
      .whole($0)
    }
  }

  /// A whole number from `least` to `largest`.
  static func whole(from least: Int, to largest: Int) -> Kind<Int> where Value == Int {
    Kind<Int>(expected: "a whole number from \(least) to \(largest)") {
      if case .whole(let whole) = $0, (least...largest).contains(whole) { whole } else { nil }
    } write: {
      .whole($0)
    }
  }

  /// A number in a range; whole numbers count as numbers.
  static func number(
    _ expected: String, where isLegal: @escaping @Sendable (Double) -> Bool
  ) -> Kind<Double> where Value == Double {
    Kind<Double>(expected: expected) {
      finite($0, where: isLegal)
    } write: {
      .number($0)
    }
  }

  /// A word of a list. A wrong one is answered with the nearest.
  static func choice() -> Kind<Value>
  where Value: RawRepresentable & CaseIterable, Value.RawValue == String, Value: Sendable {
    let words = Value.allCases.map(\.rawValue)
    return Kind(
      expected: words.count == 1 ? quoted(words[0]) : "one of " + words.map(quoted).joined(separator: ", ")
    ) {
      if case .text(let text) = $0 { Value(rawValue: text) } else { nil }
    } write: {
      .text($0.rawValue)
    } hint: {
      guard case .text(let text) = $0, let nearest = nearest(to: text, among: words) else { return nil }
      return "Did you mean \(quoted(nearest))?"
    }
  }

  /// `word` for nil, else as `kind`.
  static func optional<Wrapped>(_ word: TOMLDatum, or kind: Kind<Wrapped>) -> Kind<Wrapped?>
  where Value == Wrapped? {
    Kind<Wrapped?>(expected: "\(word.toml) or \(kind.expected)") { datum in
      datum == word ? .some(.none) : kind.read(datum).map { .some($0) }
    } write: { value in
      value.map(kind.write) ?? word
    }
  }

  /// A list of values of one kind.
  static func list<Element>(_ expected: String, of kind: Kind<Element>) -> Kind<[Element]>
  where Value == [Element] {
    Kind<[Element]>(expected: expected) { datum in
      guard case .list(let list) = datum else { return nil }
      let values = list.compactMap(kind.read)
      return values.count == list.count ? values : nil
    } write: { values in
      .list(values.map(kind.write))
    }
  }
}

/// The number that `datum` is, if it is finite and legal.
func finite(_ datum: TOMLDatum, where isLegal: (Double) -> Bool) -> Double? {
  let number: Double
  switch datum {
  case .whole(let whole): number = Double(whole)
  case .number(let value): number = value
  default: return nil
  }
  return number.isFinite && isLegal(number) ? number : nil
}

/// The seconds of a time such as "1h30m", "45m", "90s" or "2d"; nil if `text` is none.
func seconds(_ text: String) -> Double? {
  let units: [Character: Double] = ["d": 86_400, "h": 3_600, "m": 60, "s": 1]
  var total = 0.0
  var digits = ""
  for character in text {
    if let unit = units[character] {
      guard let count = Double(digits), count.isFinite else { return nil }
      total += count * unit
      digits = ""
    } else if character.isASCII && (character.isNumber || character == ".") {
      digits.append(character)
    } else {
      return nil
    }
  }
  return digits.isEmpty && !text.isEmpty ? total : nil
}

/// The word that is nearest to `word` by edit distance, if any is near.
func nearest(to word: String, among words: [String]) -> String? {
  let ranked = words.map { (word: $0, distance: editDistance(word.lowercased(), $0)) }
  guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(2, best.word.count / 3) && best.distance < best.word.count ? best.word : nil
}

/// The fewest insertions, deletions and changes of a character that turn `a` into `b`.
private func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = Swift.min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}
