/// A text as a field of a CSV file (RFC 4180). Whatever this program writes into such a file goes through this.
///
/// A spreadsheet takes a text that begins with =, +, -, @, a tab or a line break for a formula and runs it: such a text
/// gets an apostrophe in front, unless it is a number.
package func csvField(_ text: String) -> String {
  let isFormula = text.unicodeScalars.first.map { formulaStarts.contains($0) } ?? false
  let text = isFormula && decimalValue(text) == nil ? "'" + text : text
  let isQuoted =
    text.first == " " || text.last == " " || text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
  return isQuoted ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
}

/// The wide forms are taken for the same.
private let formulaStarts: Set<Unicode.Scalar> = [
  "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
]
