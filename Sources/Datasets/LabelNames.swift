import Basics

/// What the labels of classes are called: a number by its shortest form, any other text as it is. So 0/1, −1/+1, class
/// numbers and names are all names, and `1`, `1.0` and `1.000e+00` are the same one.
enum LabelNames {
  /// A longer label is none.
  static let longest = 1_000

  /// The name of a label that is a text.
  static func canonical(_ text: String) -> String {
    whole(text) ?? decimalValue(text).map(name) ?? text
  }

  /// The shortest text for a number; whole numbers have no point. A number of single precision gets its own
  /// shortest text.
  static func name(_ number: Double) -> String {
    if let whole = whole("\(number)") { return whole }
    return Float(exactly: number).map { "\($0)" } ?? "\(number)"
  }

  /// The digits of a text that is a whole number, however long and however it is written; `nil` for other texts.
  ///
  /// More than 40 digits are written with an exponent.
  private static func whole(_ text: String) -> String? {
    guard let (isNegative, digits, exponent) = decimal(text) else { return nil }
    if digits.isEmpty { return "0" }
    guard exponent >= 0 else { return nil }
    let sign = isNegative ? "-" : ""
    let count = digits.count + exponent
    if count <= 40 { return sign + digits + String(repeating: "0", count: exponent) }
    return "\(sign)\(digits.prefix(1))\(digits.count > 1 ? "." : "")\(digits.dropFirst())e+\(count - 1)"
  }

  /// A decimal number as ± digits · 10^exponent, without zeros at either end of the digits; `nil` for other texts, and
  /// for exponents beyond a million.
  private static func decimal(_ text: String) -> (isNegative: Bool, digits: String, exponent: Int)? {
    guard decimalValue(text) != nil else { return nil }
    let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    let point = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = point.count > 1 ? point[1] : ""
    let all = (point[0] + fraction).drop { $0 == "+" || $0 == "-" }
    let trailing = all.reversed().prefix { $0 == "0" }.count
    let digits = all.dropLast(trailing).drop { $0 == "0" }
    guard let power = parts.count > 1 ? Int(parts[1]) : 0, abs(power) <= 1_000_000 else { return nil }
    return (text.hasPrefix("-"), String(digits), power - fraction.count + trailing)
  }

  /// The names of classes in order: by their numbers if all are numbers, else by their texts. The same on every rank.
  static func sorted(_ names: some Collection<String>) -> [String] {
    let numbers = names.compactMap { name in decimalValue(name).map { (number: $0, name: name) } }
    guard numbers.count == names.count else { return names.sorted() }
    return numbers.sorted { isLess($0, $1) }.map(\.name)
  }

  /// Whole numbers that double precision can't tell apart go by their digits.
  private static func isLess(
    _ a: (number: Double, name: String), _ b: (number: Double, name: String)
  ) -> Bool {
    guard a.number == b.number else { return a.number < b.number }
    let (shorter, longer) = a.number < 0 ? (b.name, a.name) : (a.name, b.name)
    return (shorter.utf8.count, shorter) < (longer.utf8.count, longer)
  }

  /// A list for a message: not more than 20.
  static func list(_ names: [String]) -> String {
    let shown = names.prefix(20).map { shortened($0) }.joined(separator: ", ")
    return names.count > 20 ? shown + ", … (\(names.count))" : shown
  }
}

/// Whether a text stands for a value that is not there.
func isMissingValue(_ text: String) -> Bool {
  guard text.utf8.count <= 4 else { return false }
  return text.isEmpty || missingWords.contains(text.lowercased())
}

private let missingWords: Set<String> = ["nan", "+nan", "-nan", "na", "n/a", "null", "?"]

/// Whether a text says infinity, with a sign or without.
func isInfinity(_ text: String) -> Bool {
  guard (3...9).contains(text.utf8.count) else { return false }
  let word = text.lowercased()
  let isSigned = word.hasPrefix("+") || word.hasPrefix("-")
  return ["inf", "infinity"].contains(isSigned ? word.dropFirst() : word[...])
}

extension Labels {
  /// More classes than this that are numbers may be measurements.
  private static let manyNumbers = 20

  /// A hint where the classes look like numbers to be predicted: many, with gaps between them or few samples each.
  ///
  /// - Parameter samples: how many all ranks have together.
  public func targetHint(samples: Int) -> String? {
    guard case .classes(_, let names) = self, names.count > Self.manyNumbers else { return nil }
    let numbers = names.compactMap(decimalValue)
    guard numbers.count == names.count, let first = numbers.min(), let last = numbers.max() else {
      return nil
    }
    let isConsecutive = last - first == Double(names.count - 1)
    guard !isConsecutive || samples < 10 * names.count else { return nil }
    return "the labels are \(names.count) different numbers, from \(LabelNames.name(first)) to "
      + "\(LabelNames.name(last)): if they are measurements and not classes, set task = \"regression\" in [data] "
      + "(--task regression)"
  }
}
