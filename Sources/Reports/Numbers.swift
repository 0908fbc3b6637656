import Glibc

/// `x` with `digits` digits after the point: 12.30. What rounds to 0 has no sign.
package func fixed(_ x: Double, _ digits: Int) -> String {
  let text = formatted("%.*f", x, digits)
  return text.hasPrefix("-") && text.allSatisfy { "-0.".contains($0) } ? String(text.dropFirst()) : text
}

/// `x` with `digits` digits after the point of its mantissa: 1.23e-04.
package func scientific(_ x: Double, _ digits: Int) -> String { formatted("%.*e", x, digits) }

/// `x` with `digits` digits that count, in the shorter of the two forms: 0.00123, 1.23e-07.
package func general(_ x: Double, _ digits: Int) -> String { formatted("%.*g", x, digits) }

/// `x` with `digits` digits that count, zeros at the end included: 0.49940, 12345.
package func significant(_ x: Double, _ digits: Int) -> String {
  let text = formatted("%#.*g", x, digits)
  return text.hasSuffix(".") ? String(text.dropLast()) : text
}

/// A share as a percentage: 0.8352 is 83.52.
package func percent(_ share: Double, _ digits: Int = 2) -> String { fixed(100 * share, digits) }

/// A number of bytes in binary units: 512 B, 1.50 MiB.
package func bytes(_ n: Int) -> String {
  var value = Double(n)
  var unit = "B"
  for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] where value >= 1024 {
    value /= 1024
    unit = larger
  }
  return unit == "B" ? "\(n) B" : "\(general(value, value >= 1000 ? 4 : 3)) \(unit)"
}

/// A time: 2.5 µs, 12 ms, 12.3 s, 4 min 05 s, 3 h 04 min.
package func duration(_ seconds: Double) -> String {
  guard seconds >= 59.95 && seconds.isFinite else {
    if seconds >= 0.9995 || !(seconds > 0) { return fixed(seconds, 1) + " s" }
    return seconds >= 0.9995e-3 ? "\(general(1e3 * seconds, 3)) ms" : "\(general(1e6 * seconds, 3)) µs"
  }
  let whole = Int(seconds.rounded())
  let (minutes, hours) = (whole / 60 % 60, whole / 3600)
  return hours > 0 ? "\(hours) h \(twoDigits(minutes)) min" : "\(minutes) min \(twoDigits(whole % 60)) s"
}

private func twoDigits(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }

private func formatted(_ format: String, _ x: Double, _ digits: Int) -> String {
  // A finite Double in %f has at most 309 digits before the point.
  var buffer = [CChar](repeating: 0, count: 400)
  let count = withVaList([Int32(digits), x]) { vsnprintf(&buffer, buffer.count, format, $0) }
  return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
