// The kinds of numbers that several sections have keys of.

extension ValueKind where Value == Double {
  /// (0, ∞).
  package static var positive: ValueKind { .number("a positive number") { $0 > 0 } }

  /// [0, ∞).
  package static var nonNegative: ValueKind { .number("a number, 0 or more") { $0 >= 0 } }

  /// [0, 1).
  package static var share: ValueKind {
    .number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 }
  }

  /// Seconds, (0, ∞), as a number or a time.
  package static var duration: ValueKind {
    ValueKind(expected: "a positive number of seconds, or a time such as \"1h30m\"") {
      let limit: Double?
      if case .text(let text) = $0 { limit = seconds(text) } else { limit = finite($0) { _ in true } }
      return limit.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    } write: {
      .number($0)
    }
  }
}

extension ValueKind where Value == Double? {
  /// [0, ∞), or nil for what the method chooses itself.
  package static var automatic: ValueKind { .optional(.text("auto"), or: .nonNegative) }
}

extension ValueKind where Value == Float {
  /// (0, ∞) in single precision.
  package static var positive: ValueKind {
    ValueKind(expected: "a positive number") {
      finite($0) { Float($0) > 0 && Float($0).isFinite }.map { Float($0) }
    } write: {
      // The shortest text that reads back as this Float, not the digits of the nearest Double.
      .number(Double("\($0)") ?? Double($0))
    }
  }
}

extension ValueKind where Value == Int? {
  /// How many samples: 1 or more, or 0 for what is chosen by itself, which is nil.
  package static var samples: ValueKind {
    ValueKind(expected: wholeNumber(from: 0, to: mostCounted)) {
      guard case .whole(let whole) = $0, (0...mostCounted).contains(whole) else { return nil }
      return .some(whole == 0 ? nil : whole)
    } write: {
      .whole($0 ?? 0)
    } hint: {
      tooLarge($0, mostCounted)
    }
  }
}

extension ValueKind where Value == UInt64 {
  /// What decides random numbers; TOML's whole numbers have 63 bits.
  package static var seed: ValueKind {
    ValueKind(expected: "a whole number, 0 or more") {
      if case .whole(let whole) = $0 { UInt64(exactly: whole) } else { nil }
    } write: {
      .whole(Int($0))
    }
  }
}

/// The seconds of a time such as "1h30m", "45m", "90s" or "2d"; nil if `text` is none.
private func seconds(_ text: String) -> Double? {
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
