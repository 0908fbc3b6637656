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
    case _ where scalar.value < 32 || (127..<160).contains(scalar.value): out += escape(scalar)
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}
