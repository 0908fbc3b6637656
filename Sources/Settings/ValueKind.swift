import Basics

/// The type and range of a key: what it accepts, and how it is written.
package struct ValueKind<Value: Sendable>: Sendable {
  /// Completes "expected …", such as "a positive number".
  package let expected: String
  /// The value, or nil if it is of another type or out of range.
  package let read: @Sendable (SettingValue) -> Value?
  /// The value in TOML.
  package let write: @Sendable (Value) -> SettingValue
  /// One more sentence about a value that was refused.
  package let hint: @Sendable (SettingValue) -> String?
  /// Whether it is the path of a file, which may be relative to where it is written.
  package var isPath = false

  package init(
    expected: String, read: @escaping @Sendable (SettingValue) -> Value?,
    write: @escaping @Sendable (Value) -> SettingValue,
    hint: @escaping @Sendable (SettingValue) -> String? = { _ in nil }
  ) {
    self.expected = expected
    self.read = read
    self.write = write
    self.hint = hint
  }
}

extension ValueKind {
  /// true or false.
  package static func truth() -> ValueKind<Bool> where Value == Bool {
    ValueKind<Bool>(expected: "true or false") {
      if case .truth(let truth) = $0 { truth } else { nil }
    } write: {
      .truth($0)
    }
  }

  /// A string that is not empty.
  package static func text(_ expected: String) -> ValueKind<String> where Value == String {
    ValueKind<String>(expected: expected) {
      if case .text(let text) = $0, !text.isEmpty { text } else { nil }
    } write: {
      .text($0)
    }
  }

  /// A whole number from `least` to `largest`, by default `mostCounted`. Every kind of whole number has a bound, so
  /// that no sum or product of a few settings can leave 64 bits.
  package static func whole(from least: Int, to largest: Int = mostCounted) -> ValueKind<Int>
  where Value == Int {
    ValueKind<Int>(expected: wholeNumber(from: least, to: largest)) {
      if case .whole(let whole) = $0, (least...largest).contains(whole) { whole } else { nil }
    } write: {
      .whole($0)
    } hint: {
      tooLarge($0, largest)
    }
  }

  /// A number in a range; whole numbers count as numbers.
  package static func number(
    _ expected: String, where isLegal: @escaping @Sendable (Double) -> Bool
  ) -> ValueKind<Double> where Value == Double {
    ValueKind<Double>(expected: expected) {
      finite($0, where: isLegal)
    } write: {
      .number($0)
    }
  }

  /// A word of an enumeration. A wrong one is answered with the nearest.
  package static func choice() -> ValueKind<Value>
  where Value: RawRepresentable & CaseIterable, Value.RawValue == String, Value: Sendable {
    let words = Value.allCases.map(\.rawValue)
    return ValueKind<String>.word(of: words).map {
      Value(rawValue: $0)
    } write: {
      $0.rawValue
    }
  }

  /// A word of a list. A wrong one is answered with the nearest.
  package static func word(of words: [String]) -> ValueKind<String> where Value == String {
    ValueKind<String>(expected: "one of \(words.map(quoted).joined(separator: ", "))") {
      if case .text(let text) = $0, words.contains(text) { text } else { nil }
    } write: {
      .text($0)
    } hint: {
      guard case .text(let text) = $0, let nearest = nearest(to: text, among: words) else { return nil }
      return "Did you mean \(quoted(nearest))?"
    }
  }

  /// The same with another type of value.
  private func map<Other>(
    _ read: @escaping @Sendable (Value) -> Other?, write: @escaping @Sendable (Other) -> Value
  ) -> ValueKind<Other> {
    ValueKind<Other>(expected: expected) {
      self.read($0).flatMap(read)
    } write: {
      self.write(write($0))
    } hint: {
      hint($0)
    }
  }

  /// `word` for nil, else as `kind`.
  package static func optional<Wrapped>(_ word: SettingValue, or kind: ValueKind<Wrapped>) -> ValueKind<
    Wrapped?
  >
  where Value == Wrapped? {
    ValueKind<Wrapped?>(expected: "\(word.toml) or \(kind.expected)") { datum in
      datum == word ? .some(.none) : kind.read(datum).map { .some($0) }
    } write: { value in
      value.map(kind.write) ?? word
    } hint: {
      kind.hint($0)
    }
  }

  /// A list of values of one kind.
  package static func list<Element>(_ expected: String, of kind: ValueKind<Element>) -> ValueKind<[Element]>
  where Value == [Element] {
    ValueKind<[Element]>(expected: expected) { datum in
      guard case .list(let list) = datum else { return nil }
      let values = list.compactMap(kind.read)
      return values.count == list.count ? values : nil
    } write: { values in
      .list(values.map(kind.write))
    } hint: { datum in
      guard case .list(let list) = datum, let wrong = list.first(where: { kind.read($0) == nil }) else {
        return nil
      }
      return kind.hint(wrong)
    }
  }
}

/// The most of anything that is counted, where no key has a bound of its own: 10¹².
package let mostCounted = 1_000_000_000_000

/// "a whole number, 1 or more", or with its bound where that is narrow.
func wholeNumber(from least: Int, to largest: Int) -> String {
  largest == mostCounted ? "a whole number, \(least) or more" : "a whole number from \(least) to \(largest)"
}

/// That a whole number is above the bound that no `expected` tells.
func tooLarge(_ value: SettingValue, _ largest: Int) -> String? {
  guard case .whole(let whole) = value, whole > largest else { return nil }
  return "The largest is \(largest)."
}

extension ValueKind where Value == String {
  /// The path of a file; a relative one starts from the directory of the file that says it.
  package static var path: ValueKind {
    var kind = text("a path")
    kind.isPath = true
    return kind
  }
}

/// The number that `datum` is, if it is finite and legal.
package func finite(_ datum: SettingValue, where isLegal: (Double) -> Bool) -> Double? {
  let number: Double
  switch datum {
  case .whole(let whole): number = Double(whole)
  case .number(let value): number = value
  default: return nil
  }
  return number.isFinite && isLegal(number) ? number : nil
}
