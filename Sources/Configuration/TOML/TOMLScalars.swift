import Settings

extension TOMLText {
  /// Reads a number, a truth, or a date or time.
  mutating func scalar() throws(TOMLError) -> SettingValue {
    let start = position
    skipWord()
    // A date may be parted from its time by a blank.
    if isDate(bytes(from: start)), next == UInt8(ascii: " ") {
      let end = position
      skip()
      skipWord()
      if !bytes(from: end + 1).contains(UInt8(ascii: ":")) { rewind(to: end) }
    }
    let word = text(from: start)
    guard !word.isEmpty else { throw error("a value is missing. Texts need quotes.") }
    if let value = constant(word) { return value }
    if isDate(bytes(from: start)) || isTime(bytes(from: start)) { return .time }
    if let value = try number(word, at: start) { return value }
    throw error("\(shortened(word)) is no value. A text needs quotes.", at: start)
  }

  private mutating func skipWord() {
    while let byte = next, isWordByte(byte) { skip() }
  }

  /// All that can be in a word, to name it whole where it is none.
  private func isWordByte(_ byte: UInt8) -> Bool {
    byte > 32 && byte != 127 && !",]}#=\"'[{".utf8.contains(byte)
  }

  private func constant(_ word: String) -> SettingValue? {
    switch word {
    case "true": .truth(true)
    case "false": .truth(false)
    case "inf", "+inf": .number(.infinity)
    case "-inf": .number(-.infinity)
    case "nan", "+nan", "-nan": .number(.nan)
    default: nil
    }
  }

  /// 1979-05-27…
  private func isDate(_ word: ArraySlice<UInt8>) -> Bool { hasShape(word, "dddd-dd-dd") }

  /// 07:32…
  private func isTime(_ word: ArraySlice<UInt8>) -> Bool { hasShape(word, "dd:dd") }

  /// Whether a word begins with digits where `shape` has a d, and with its other characters.
  private func hasShape(_ word: ArraySlice<UInt8>, _ shape: String) -> Bool {
    word.count >= shape.utf8.count
      && zip(word, shape.utf8).allSatisfy { $1 == UInt8(ascii: "d") ? isDigit($0) : $0 == $1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// A whole number in one of four bases, or a number with a point or an exponent; nil if it is neither.
  private func number(_ word: String, at start: Int) throws(TOMLError) -> SettingValue? {
    // Underscores stand between digits.
    let (bytes, hasBase) = (Array(word.utf8), word.hasPrefix("0x"))
    func isPart(_ i: Int) -> Bool {
      bytes.indices.contains(i) && (isDigit(bytes[i]) || hasBase && i > 1 && isHex(bytes[i]))
    }
    for (i, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
      guard isPart(i - 1) && isPart(i + 1) else { return nil }
    }
    let plain = word.filter { $0 != "_" }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
      return try whole(plain.dropFirst(2), radix: radix, word, at: start)
    }
    let unsigned = plain.hasPrefix("+") || plain.hasPrefix("-") ? plain.dropFirst() : Substring(plain)
    let lead = unsigned.prefix { $0.isASCII && $0.isNumber }
    guard !lead.isEmpty, lead.count == 1 || lead.first != "0" else { return nil }
    if lead.count == unsigned.count {
      return try whole(plain.hasPrefix("+") ? unsigned : Substring(plain), radix: 10, word, at: start)
    }
    // Digits, a point and digits, an exponent.
    var rest = unsigned.dropFirst(lead.count)
    if rest.first == "." {
      let fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
      guard !fraction.isEmpty else { return nil }
      rest = rest.dropFirst(1 + fraction.count)
    }
    guard rest.isEmpty || isExponent(rest) else { return nil }
    return Double(plain).map { .number($0) }
  }

  private func whole(
    _ digits: Substring, radix: Int, _ word: String, at start: Int
  ) throws(TOMLError) -> SettingValue? {
    // With a base there is no sign.
    guard !digits.isEmpty, radix == 10 || digits.first?.isHexDigit == true else { return nil }
    if let value = Int(digits, radix: radix) { return .whole(value) }
    let isNumber = digits.allSatisfy { $0 == "-" || ($0.hexDigitValue ?? radix) < radix }
    guard isNumber else { return nil }
    throw error("\(shortened(word)) is too large: whole numbers go up to \(Int.max).", at: start)
  }

  private func isExponent(_ text: Substring) -> Bool {
    guard text.first == "e" || text.first == "E" else { return false }
    let power = text.dropFirst()
    let digits = power.first == "+" || power.first == "-" ? power.dropFirst() : power
    return !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
  }

  private func isHex(_ byte: UInt8) -> Bool { byte < 128 && Character(Unicode.Scalar(byte)).isHexDigit }
}
