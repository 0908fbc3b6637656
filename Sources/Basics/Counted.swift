/// A whole number with commas: 10,500,000.
package func grouped(_ n: Int) -> String {
  var out = ""
  let digits = String(n.magnitude)
  for (i, digit) in digits.enumerated() {
    if i > 0 && (digits.count - i) % 3 == 0 { out.append(",") }
    out.append(digit)
  }
  return n < 0 ? "-" + out : out
}

/// "1 rank", "3 ranks".
package func counted(_ n: Int, _ noun: String) -> String { "\(grouped(n)) \(noun)\(n == 1 ? "" : "s")" }
