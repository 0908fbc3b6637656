import Basics
import Foundation
import Reports
import Testing

@Suite struct ReportsTextTests {
  @Test func numbersOfEachForm() {
    #expect(fixed(12.345678, 2) == "12.35")
    #expect(fixed(-0.5, 1) == "-0.5")
    #expect(scientific(0.000123456, 2) == "1.23e-04")
    #expect(general(0.00123456, 3) == "0.00123")
    #expect(significant(0.4994, 5) == "0.49940")
    #expect(significant(12345, 5) == "12345")
    #expect(significant(1_234_567, 5) == "1.2346e+06")
    #expect(fixed(-0.001, 2) == "0.00" && fixed(-0.009, 2) == "-0.01")
    #expect(percent(0.835249) == "83.52")
    #expect(fixed(.nan, 2) == "nan")
    #expect(scientific(-.infinity, 2) == "-inf")
    #expect(fixed(.greatestFiniteMagnitude, 0).count == 309)
  }

  /// Colours, the title of a window, a cursor moved, text reordered: as escapes.
  @Test(arguments: [
    ("\u{1B}[31mred", "\\u001b[31mred"), ("a\u{7}\u{8}\rb", "a\\u0007\\u0008\\u000db"),
    ("\u{9B}2J", "\\u009b2J"), ("a\u{202E}b", "a\\u202eb"), ("\u{7F}\u{0}", "\\u007f\\u0000"),
    ("\u{FEFF}a\u{2028}", "\\ufeffa\\u2028"), ("a\tb", "a\\u0009b"),
    ("größer, 日本, 👩‍🔬, ±", "größer, 日本, 👩‍🔬, ±"), ("", ""), ("two\nlines", "two\nlines"),
  ])
  func whatIsPrintedIsHarmless(text: String, shown: String) {
    #expect(printable(text) == shown)
    #expect(printable(shown) == shown)
    #expect(!printable(text, isOneLine: true).contains("\n"))
  }

  @Test func tablesAreHarmless() {
    var table = TextTable(["a\u{1B}[2J", "b"], [.left, .left])
    table.add(["c\nd", "e"])
    #expect(table.lines == ["a\\u001b[2J  b", "c\\u000ad    e"])
    #expect(quoted("\u{9B}\u{1B}") == "\"\\u009b\\u001b\"")
    #expect(shortened(String(repeating: "x", count: 50), to: 3) == "xxx…")
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (10_500_000, "10,500,000"), (-1234, "-1,234"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func wholeNumbersHaveCommas(n: Int, text: String) {
    #expect(grouped(n) == text)
  }

  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1_047_552, "1023 KiB"),
    (26_843_545_600, "25 GiB"),
  ])
  func bytesHaveBinaryUnits(n: Int, text: String) {
    #expect(bytes(n) == text)
  }

  @Test(arguments: [
    (0, "0.0 s"), (2.54e-6, "2.54 µs"), (0.0123, "12.3 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"),
    (59.94, "59.9 s"), (59.96, "1 min 00 s"), (3599.6, "1 h 00 min"),
    (11_040, "3 h 04 min"),
  ])
  func timesAreShort(seconds: Double, text: String) {
    #expect(duration(seconds) == text)
  }

  @Test func tablesAreAligned() {
    var table = TextTable(["name", "n"], [.left, .right])
    table.add(["ä", "1"])
    table.add(["", "1000"])
    #expect(table.lines == ["name     n", "ä        1", "      1000"])
  }
}

@Suite struct ReportsJSONTests {
  private let value: JSON = .object([
    "text": "a \"b\" \\ \u{1}\n ä", "list": .array([1, .number(2.5), true, .null]), "absent": nil,
    "not_a_number": .number(.nan), "infinite": .number(-.infinity), "tiny": .number(1e-300),
    "nested": .array([.object(["key": .verbatim("[1]")])]), "empty": .object([]),
  ])

  @Test(arguments: [\JSON.compact, \JSON.document] as [KeyPath<JSON, String> & Sendable])
  func anIndependentParserReadsIt(text: KeyPath<JSON, String> & Sendable) throws {
    let parsed = try JSONSerialization.jsonObject(with: Data(value[keyPath: text].utf8))
    let object = try #require(parsed as? NSDictionary)
    let expected: NSDictionary = [
      "text": "a \"b\" \\ \u{1}\n ä", "list": [1, 2.5, true, NSNull()] as NSArray, "not_a_number": NSNull(),
      "infinite": NSNull(), "tiny": 1e-300, "nested": [["key": [1]]], "empty": NSDictionary(),
    ]
    #expect(object == expected)
  }

  @Test func compactIsOneLineAndDocumentsAreIndented() {
    #expect(!value.compact.contains("\n"))
    let small: JSON = .object(["a": 1, "b": .array([1, 2]), "c": .object(["d": "e"])])
    #expect(small.document == "{\n  \"a\": 1,\n  \"b\": [1, 2],\n  \"c\": {\n    \"d\": \"e\"\n  }\n}\n")
  }
}
