/// Sums of `Double`s that are exact, so that they don't depend on the order of addition or on who adds.
///
/// Each sum is a wide fixed-point number in 32-bit digits kept in 64-bit words: an addend of 53 bits goes to three neighbouring
/// digits, and ranks add their words with a plain integer `MPI_SUM`. The total is rounded once, at the end. After U. Kulisch,
/// "Computer Arithmetic and Validity", section 8; Demmel & Nguyen (2013) survey the alternatives.
///
/// Range: 2^-172 ≤ |x| < 2^224; smaller values count as 0, larger ones, infinities and NaN make the sum NaN. Up to 2^29 addends a
/// rank between calls of `reduce`, and 2^31 ranks.
public struct ExactSum: Sendable {
  private static let digits = 15
  private static let lowestExponent = -224
  /// The digits, and one word that counts addends which are not finite or too large.
  private static let words = digits + 1

  private var storage: [Int64]

  /// `count` independent sums, all 0.
  public init(count: Int) {
    storage = [Int64](repeating: 0, count: count * Self.words)
  }

  /// How many sums there are.
  public var count: Int { storage.count / Self.words }

  /// Adds `x` to sum `k`. Local, exact.
  public mutating func add(_ x: Double, to k: Int) {
    let first = k * Self.words
    if x == 0 { return }
    guard x.isFinite, x.exponent < 224 else {
      storage[first + Self.digits] += 1
      return
    }
    // x = ± mantissa · 2^shift with a whole 53-bit mantissa.
    let shift = Int(x.exponent) - 52 - Self.lowestExponent
    guard x.isNormal, shift >= 0 else { return }
    let mantissa = x.significandBitPattern | (1 << 52)
    let (digit, bits) = shift.quotientAndRemainder(dividingBy: 32)
    let wide = UInt128(mantissa) << UInt128(bits)
    let sign: Int64 = x < 0 ? -1 : 1
    for i in 0..<3 {
      let part = Int64(truncatingIfNeeded: (wide >> UInt128(32 * i)) & 0xFFFF_FFFF)
      storage[first + digit + i] += sign * part
    }
  }

  /// Replaces each sum by its total over all ranks. Collective; one reduction of 128 bytes a sum.
  public mutating func reduce(over ranks: borrowing Communicator) throws(MPIError) {
    for k in 0..<count { carry(k) }
    try ranks.sum(&storage)
  }

  /// Sum `k`, rounded. Local; the same bits whatever the order of the additions.
  public subscript(k: Int) -> Double {
    var copy = self
    copy.carry(k)
    let words = copy.storage[k * Self.words..<(k + 1) * Self.words]
    let digits = Array(words.dropLast())
    if words.last != 0 { return .nan }
    // The top digit carries the sign of the whole; from there down, each digit adds less than a unit of the one above.
    var value = 0.0
    for i in digits.indices.reversed() {
      value += Double(sign: .plus, exponent: Self.lowestExponent + 32 * i, significand: Double(digits[i]))
    }
    return value
  }

  /// Moves what exceeds 32 bits to the next digit; all digits but the top one are then in 0 ..< 2^32.
  private mutating func carry(_ k: Int) {
    let first = k * Self.words
    for i in first..<first + Self.digits - 1 {
      let up = storage[i] >> 32
      storage[i] -= up << 32
      storage[i + 1] += up
    }
  }
}
