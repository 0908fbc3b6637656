/// `text` as a terminal may show it: what would move the cursor, change colours, hide or reorder text is written as an
/// escape, `\u001b` for instance. Whatever is printed goes through this, since names come from files of others.
///
/// - Parameter isOneLine: whether a line feed is such a character, too.
package func printable(_ text: String, isOneLine: Bool = false) -> String {
  let scalars = text.unicodeScalars
  guard scalars.contains(where: { isHarmful($0, isOneLine) }) else { return text }
  var out = ""
  for scalar in scalars {
    if isHarmful(scalar, isOneLine) { out += escape(scalar) } else { out.unicodeScalars.append(scalar) }
  }
  return out
}

/// `\u001b` for ESC, as TOML and JSON write it.
func escape(_ scalar: Unicode.Scalar) -> String {
  let digits = String(scalar.value, radix: 16)
  let width = digits.count <= 4 ? 4 : 8
  return (width == 4 ? "\\u" : "\\U") + String(repeating: "0", count: width - digits.count) + digits
}

/// Controls, and the formatting characters that hide or reorder what stands beside them.
private func isHarmful(_ scalar: Unicode.Scalar, _ isOneLine: Bool) -> Bool {
  if scalar.isASCII { return scalar.value == 127 || scalar.value < 32 && (scalar != "\n" || isOneLine) }
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: return true
  // Joiners belong to words and emoji.
  case .format: return scalar.value != 0x200C && scalar.value != 0x200D
  default: return false
  }
}

/// The beginning of a text that may be long, in one harmless line.
package func shortened(_ text: String, to count: Int = 40) -> String {
  printable(text.count > count ? text.prefix(count) + "…" : text, isOneLine: true)
}
