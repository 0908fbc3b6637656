import Files
import Glibc

/// The single-precision number nearest to a decimal one, read from bytes.
///
/// Accepts `[+-] digits [. digits] [e [+-] digits]` with a digit before or after the point. The result has the bits
/// of `strtof`.
///
/// - Parameter p: where the number begins; on success, the byte after it.
/// - Returns: `nil` where no number begins at `p`. Infinite where the number is too large.
@inline(__always)
package func parseDecimal(_ p: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Float? {
  let start = p
  var q = p
  let isNegative = takeSign(&q, end)
  var number = Decimal()
  var digits = number.takeDigits(&q, end, areFraction: false)
  if q < end, q.pointee == UInt8(ascii: ".") {
    q += 1
    digits += number.takeDigits(&q, end, areFraction: true)
  }
  guard digits > 0 else { return nil }
  if q < end, q.pointee | 0x20 == UInt8(ascii: "e") {
    q += 1
    guard number.takeExponent(&q, end) else { return nil }
  }
  p = q
  guard let magnitude = number.nearest else { return parseWithLibrary(start, q) }
  return isNegative ? -magnitude : magnitude
}

/// m · 10^k, of at most 19 digits.
private struct Decimal {
  /// Digits are dropped from here on: one more still fits 64 bits.
  private static let limit: UInt64 = 1_000_000_000_000_000_000

  private var mantissa: UInt64 = 0
  private var exponent = 0

  @inline(__always)
  init() {}

  /// Adds the digits at `q`. Returns how many there are.
  @inline(__always)
  mutating func takeDigits(
    _ q: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, areFraction: Bool
  ) -> Int {
    let first = q
    while q < end {
      let digit = q.pointee &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      if mantissa < Self.limit {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        if areFraction { exponent &-= 1 }
      } else if !areFraction {
        exponent &+= 1
      }
      q += 1
    }
    return q - first
  }

  /// Adds what stands behind an "e". Returns false where that is no whole number.
  @inline(__always)
  mutating func takeExponent(_ q: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
    let isNegative = takeSign(&q, end)
    let first = q
    var power = 0
    while q < end {
      let digit = q.pointee &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      if power < 1_000_000_000 { power = power &* 10 &+ Int(digit) }
      q += 1
    }
    exponent &+= isNegative ? -power : power
    return q > first
  }

  /// The nearest `Float`; `nil` where 64 bits don't decide which it is.
  ///
  /// m · 10^k is computed in double precision with an error below 2⁻⁵⁰ of its size. Where both ends of that
  /// interval round to the same `Float`, so does the exact value, rounding being monotone; elsewhere is about one
  /// number in ten million.
  @inline(__always)
  var nearest: Float? {
    if mantissa == 0 { return 0 }
    if exponent == 0 && mantissa < Self.limit { return Float(mantissa) }
    guard exponent >= -44 && exponent <= 44 else { return nil }
    let x = scaled(Double(mantissa), exponent)
    let low = Float(x * (1 - 0x1p-50))
    return low == Float(x * (1 + 0x1p-50)) ? low : nil
  }
}

/// Passes over a sign. Returns whether it is a minus.
@inline(__always)
private func takeSign(_ q: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
  guard q < end, q.pointee == UInt8(ascii: "-") || q.pointee == UInt8(ascii: "+") else { return false }
  q += 1
  return q[-1] == UInt8(ascii: "-")
}

/// x · 10^k for |k| ≤ 44 by at most two operations with exact powers.
@inline(__always)
private func scaled(_ x: Double, _ k: Int) -> Double {
  if k < 0 { return k >= -22 ? x / powersOfTen[-k] : x / 1e22 / powersOfTen[-k - 22] }
  return k <= 22 ? x * powersOfTen[k] : x * 1e22 * powersOfTen[k - 22]
}

/// 10⁰ … 10²², which double precision holds exactly.
private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
  1e19, 1e20, 1e21, 1e22,
]

/// The same by the C library. Needs a copy, because `strtof` wants a zero byte at the end.
@inline(never)
private func parseWithLibrary(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Float {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: end - start + 1) { text in
    for i in 0..<end - start { text[i] = CChar(bitPattern: start[i]) }
    text[end - start] = 0
    guard let base = text.baseAddress else { return .nan }
    return strtof(base, nil)
  }
}

/// The number that a whole text says, or `nil`. The grammar is that of `parseDecimal`; the value has the bits of
/// `strtod`.
package func decimalValue(_ text: String) -> Double? {
  var text = text
  let isDecimal = text.withUTF8 { bytes in
    guard var p = bytes.baseAddress else { return false }
    let end = p + bytes.count
    return parseDecimal(&p, end) != nil && p == end
  }
  return isDecimal ? strtod(text, nil) : nil
}
