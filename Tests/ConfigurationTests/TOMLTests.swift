import Basics
import Configuration
import Datasets
import Testing

private func configuration(_ text: String, _ settings: [String] = []) throws -> Configuration {
  try Configuration(text: text, file: "x.toml", currentDirectory: "/home", settings: settings)
}

/// The message with which `text` is refused.
private func refusal(_ text: String) throws -> String {
  let failure = try #require(throws: Failure.self) { try configuration(text) }
  #expect(failure.status == .badConfiguration && failure.isShared)
  return failure.message
}

/// The text of `positive_class`, written as this TOML value.
private func text(_ value: String) throws -> String? {
  try configuration("[data]\ntrain = 'a'\npositive_class = \(value)\n").data.positiveClass
}

@Suite struct TOMLTests {
  /// No text ends the program: what is no TOML is refused with its line and column.
  @Test(arguments: [
    "[=a]", "[.a]", "[#a]", "[@data]", "[état]", "[]", "[ ]", "[a.]", "[a..b]", "[a", "[a\n]", "[a]]",
    "[\"a]", "['a",
    "[a] b = 1", "[a]=1", "[[=a]]", "[[", "[", "[\0]", "=1", "=a", ".a = 1", "a. = 1", "a..b = 1",
    "état = 1", "@x = 1", "a b = 1", "a", "a.b", "\"a", "'a", "\"\"\"a\"\"\" = 1", "a =", "a = =", "a = #",
    "a == 1",
    "a = 1 2", "a = 1, 2", "a = b", "a = [", "a = ]", "a = [1", "a = [1,,2]", "a = [,]", "a = [1 2]", "a = {",
    "a = }",
    "a = {b}", "a = {b=}", "a = {b=1", "a = {b=1,}", "a = {b=1 c=2}", "a = {=1}", "a = {.b=1}", "a = {@=1}",
    "a = [{=1}]", "a = {b={=1}}", "a = \"", "a = \"\n\"", "a = '\n'", "a = \"\"\"", "a = '''a''",
    "a = \"\\x\"",
    "a = \"\\", "a = \"\\u12\"", "a = \"\\ud800\"", "a = \"\\U00110000\"", "a = \"\\u0000\"",
    "\"\\u0000\" = 1",
    "a = \"\u{1}\"", "# \u{1}", "a = 01", "a = 1__0", "a = _1", "a = 1_", "a = 0x", "a = 0xg", "a = -0x1",
    "a = 1.",
    "a = .5", "a = 1e", "a = 1e5.5", "a = +", "a = --1", "a = ++1", "a = 9223372036854775808",
    "a = 0xFFFFFFFFFFFFFFFFF",
    "a = 1\r", "a\u{0} = 1", "\u{FEFF}\u{FEFF}", "a.b = 1\na = 2", "a = 1\na.b = 2", "[a]\n[a]",
    "a = {}\n[a]",
    "a.b = 1\n[a]", "[a.b]\n[a]\nb = 1", "'' =", "a = tRue", "a = 1979-05-27x\"",
  ])
  func whatIsNoTOMLIsRefusedWithItsPlace(_ text: String) throws {
    for text in ["", "# é\n\n"].map({ $0 + text }) {
      let message = try refusal(text)
      #expect(message.hasPrefix("x.toml, line ") && message.contains(", column "), "\(text): \(message)")
      #expect(!message.contains("\n"), "\(message)")
    }
  }

  @Test func placesAreLinesAndCharacters() throws {
    #expect(try refusal("[data]\ntrain = 'é' x").hasPrefix("x.toml, line 2, column 13: "))
    #expect(
      try refusal("[data]\r\ntrain = \"\"\"\r\n\r\n\"\"\"\r\n  [=").hasPrefix("x.toml, line 5, column 4: "))
    #expect(try refusal("\u{FEFF}[=").hasPrefix("x.toml, line 1, column 2: "))
  }

  @Test(arguments: [
    (#""a\tb\\\"A\u00e9\U0001F600\b\f\n\r""#, "a\tb\\\"Aé😀\u{8}\u{c}\n\r"), (#"'a\t"'"#, #"a\t""#),
    // Long strings may end in one or two quotes of their own.
    ("\"\"\"a\"\"\"\"", "a\""), ("\"\"\"a\"\"\"\"\"", "a\"\""), ("'''a''''", "a'"), ("'''a'''''", "a''"),
    ("\"\"\"\"\"a\"\"\"", "\"\"a"), ("\"\"\"a\"b\"\"c\"\"\"\"", "a\"b\"\"c\""),
    ("\"\"\"\\\"\"\"\"\"", "\"\""),
    ("\"\"\"\na\nb\"\"\"", "a\nb"), ("'''\r\na\r\nb'''", "a\nb"), ("'é' # comment", "é"), ("7", "7"),
    ("\"\"\"a\\\n   \n  b \\  \r\n c\"\"\"", "ab c"),
    ("0x1F", "31"), ("-1_000", "-1000"), ("+0b11", ""),
  ])
  func stringsAreReadAsWritten(_ value: String, _ expected: String) throws {
    guard !expected.isEmpty else {
      #expect(try refusal("[data]\npositive_class = \(value)").contains("not TOML"))
      return
    }
    #expect(try text(value) == expected)
  }

  @Test func numbersAreReadInEveryForm() throws {
    for (text, value) in [
      ("1_000", 1000.0), ("1e3", 1000), ("1E+3", 1000), ("0.5e-1_0", 5e-11), ("+2.25", 2.25), ("0", 0),
      ("6.0_1", 6.01),
      ("0xdead_beef", 0xdead_beef), ("0o17", 15), ("0b101", 5),
    ] {
      #expect(
        try configuration("[data]\nsynthetic=9\nsynthetic_noise=\(text)").data.syntheticNoise == value,
        "\(text)")
    }
    for text in [
      "inf", "-inf", "nan", "1979-05-27", "1979-05-27 07:32:00Z", "07:32:00", "1979-05-27T07:32:00+01:00",
    ] {
      let message = try refusal("[data]\nsynthetic = 9\nsynthetic_noise = \(text)\n")
      #expect(message.contains("line 3: synthetic_noise = "), "\(message)")
    }
  }

  @Test func tablesAreReadInEveryForm() throws {
    let plain = try configuration("[data]\nsynthetic = 9\n[network]\nhidden = [7, 5]\nbias = false\n")
    for text in [
      "data.synthetic = 9\nnetwork.hidden = [7, 5]\nnetwork . bias = false",
      "data = { synthetic = 9 }\nnetwork = { hidden = [ 7 , 5 ], bias = false } # ]",
      "\u{FEFF}[ data ] # x\r\n\"synthetic\"=9\r\n\r\n['network']\r\nhidden = [ # ]\r\n7, # [\r\n 5,\r\n]\r\nbias=false",
      "[network]\n\"hi\\u0064den\" = [7, 5]\nbias = false\n[data]\n'synthetic' = 9",
    ] {
      #expect(try configuration(text) == plain, "\(text)")
    }
    #expect(
      try refusal("[data.train]\nx = 1").contains("x.toml, line 1: train = {…} in [data], expected a path."))
    #expect(
      try refusal("[data]\ntrain = { a = 1 }").contains("line 2: train = {…} in [data], expected a path."))
    #expect(try refusal("[data]\ntrain = [{ a = 1, b = [{}] }]").contains("line 2: train = [{…}] in [data]"))
    #expect(try refusal("[[data]]").contains("line 1: [data] is a section"))
    #expect(try refusal("[data]\nx.y.z = 1\n").contains("line 2: unknown key \"x\" in [data]."))
  }

  /// Nothing overflows the stack, and time is linear.
  @Test(arguments: [
    String(repeating: "[", count: 200_000), "a = " + String(repeating: "[", count: 200_000),
    "a = " + String(repeating: "{a=", count: 200_000), "a = " + String(repeating: "[{a=", count: 200_000),
    String(repeating: "a.", count: 200_000) + "a = 1", "[" + String(repeating: "a.", count: 200_000) + "a]",
    "a = \"" + String(repeating: "x", count: 200_000), "a = " + String(repeating: "9", count: 200_000),
    String(repeating: "x", count: 200_000) + " = 1", "[" + String(repeating: "x", count: 200_000) + "]",
    "[" + String(repeating: "x", count: 200_000),
    "[data]\n" + String(repeating: "x", count: 200_000) + " = 1",
    "[data]\ntrain = [\"" + String(repeating: "x", count: 200_000) + "\"]",
    "[data]\n" + (0..<2_000).map { "k\($0) = 1\n" }.joined(),
  ])
  func messagesStayShort(_ text: String) throws {
    let message = try refusal(text)
    #expect(
      message.utf8.count < 20_000 && message.split(separator: "\n").count <= 31, "\(message.prefix(500))")
  }

  @Test func namesCantHoldControlCharacters() throws {
    let message = try refusal("[\"a\\u001b[31m\"]\n[data]\n\"b\\n\" = 1\n")
    #expect(
      message.contains("unknown section [a\\u001b[31m]") && message.contains("unknown key \"b\\u000a\""))
    #expect(message.split(separator: "\n").count == 2)
  }

  /// What is TOML on the command line is taken so, all else as a word.
  @Test func optionsAreValuesOrWords() throws {
    for (value, expected) in [
      ("7", "7"), ("'7'", "7"), ("a b", "a b"), ("\"a", "\"a"), ("a # b", "a # b"), ("'a' # b", "a"),
      ("[1", "[1"),
    ] {
      let read = try configuration("[data]\ntrain = 'x'", ["data.positive_class=\(value)"])
      #expect(read.data.positiveClass == expected)
    }
  }
}
