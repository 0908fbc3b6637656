import Datasets
import Foundation
import LinearAlgebra
import Testing

/// Reads a whole text; `nil` where some of it is left.
private func parse(_ text: String) -> Float? {
  let bytes = Array(text.utf8)
  return bytes.withUnsafeBufferPointer { buffer in
    guard var p = buffer.baseAddress else { return nil }
    let end = p + buffer.count
    guard let value = parseDecimal(&p, end), p == end else { return nil }
    return value
  }
}

@Suite struct DecimalParserTests {
  private func expectLibraryBits(_ text: String, _ location: SourceLocation = #_sourceLocation) {
    let expected = strtof(text, nil)
    let value = parse(text)
    if value?.bitPattern != expected.bitPattern {
      Issue.record(
        "\(text) is read as \(value.map { "\($0)" } ?? "nothing"), not \(expected)", sourceLocation: location)
    }
  }

  @Test func randomDecimalsHaveTheBitsOfTheLibrary() {
    let random = Philox(seed: 1, stream: 0)
    for n in 0..<200_000 {
      let words = random.words(0, n)
      let digits = random.words(1, n)
      let count = 1 + Int(words[0] % 25)
      var text = words[1] & 1 == 0 ? "-" : ""
      let point = Int(words[1] >> 1) % (count + 1)
      for i in 0..<count {
        if i == point { text += "." }
        text += String((digits[i % 4] >> UInt32(3 * (i / 4))) % 10)
      }
      if words[2] & 1 == 0 { text += "e\(Int(words[3] % 110) - 60)" }
      expectLibraryBits(text)
    }
  }

  @Test func printedFloatsComeBack() {
    let random = Philox(seed: 2, stream: 0)
    for n in 0..<50_000 {
      let value = Float(bitPattern: random.words(0, n)[0])
      guard value.isFinite else { continue }
      for text in [String(format: "%.18e", Double(value)), String(format: "%.9g", Double(value)), "\(value)"]
      {
        if parse(text)?.bitPattern != value.bitPattern { Issue.record("\(text) is misread") }
      }
    }
  }

  /// Exactly half way between two neighbours, and a little above and below: where a double rounding would go wrong.
  @Test func midpointsAreRoundedToEven() {
    let random = Philox(seed: 3, stream: 0)
    for n in 0..<10_000 {
      let value = abs(Float(bitPattern: random.words(0, n)[0]))
      guard value.isFinite, value.nextUp.isFinite else { continue }
      let middle = String(format: "%.160e", (Double(value) + Double(value.nextUp)) / 2)
      expectLibraryBits(middle)
      let parts = middle.split(separator: "e")
      expectLibraryBits(parts[0] + "1e" + parts[1])
      expectLibraryBits(String(format: "%.20e", (Double(value) + Double(value.nextUp)) / 2))
      expectLibraryBits(String(format: "%.17e", ((Double(value) + Double(value.nextUp)) / 2).nextDown))
    }
  }

  @Test(arguments: [
    "0", "-0", "0.0e9999", "1e-46", "7.0064923216240854e-46", "7.0064923216240853e-46", "1e39",
    "3.4028235e38",
    "3.4028236e38", "3.40282357e38", "1.17549435e-38", "16777217", "33554435", "1000000000000000000.5",
    "9007199791611905", "9007199791611904.0000000000000000001", "00000000000000000000000000000000000001",
    "0.00000000000000000000000000000000000000000000000001e50", "123456789012345678901234567890", ".5", "5.",
    "+1.5E+3", "1e400", "1e99999999999", "1e-99999999999", "1.337613344192504883e+00",
  ])
  func edges(_ text: String) {
    expectLibraryBits(text)
  }

  @Test(arguments: [
    "", "-", "+", ".", "e5", "-.", "1e", "1e+", "0x10", "nan", "inf", "1.2.3", "1,5", " 1", "1 ", "0.3x1",
    "--1", "1f",
    "12a",
  ])
  func whatIsNoNumber(_ text: String) {
    #expect(parse(text) == nil)
  }
}
