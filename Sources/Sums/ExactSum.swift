import MPI

/// Sums of `Double`s that are exact, so that they don't depend on the order of addition or on who adds.
///
/// Each sum is a wide fixed-point number in 32-bit digits kept in 64-bit words: an addend of 53 bits goes to three
/// neighbouring digits, and ranks add their words with a plain integer `MPI_SUM`. The total is rounded once, at the
/// end. After U. Kulisch, "Computer Arithmetic and Validity", section 8; Demmel & Nguyen (2013) survey the
/// alternatives.
///
/// Range: 2^-300 ≤ |x| < 2^288, which the squares of all single-precision numbers are in; smaller values count as 0,
/// larger ones, infinities and NaN make the sum NaN. Up to 2^29 addends a rank between calls of `reduce`, and 2^31
/// ranks.
public struct ExactSum: Sendable {
  private static let digits = 21
  private static let lowestExponent = -352
  private static let limit = 288
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
    guard x.isFinite, x.exponent < Self.limit else {
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

  /// Adds the sums of `other`, which has as many. Local, exact.
  public mutating func add(_ other: ExactSum) {
    precondition(other.count == count, "\(other.count) sums added to \(count)")
    for i in storage.indices { storage[i] += other.storage[i] }
  }

  /// Makes all sums 0. Local.
  public mutating func clear() {
    for i in storage.indices { storage[i] = 0 }
  }

  /// Replaces each sum by its total over all ranks. Collective; one reduction of 176 bytes a sum.
  public mutating func reduce(over ranks: borrowing Communicator) throws(MPIError) {
    storage.withUnsafeMutableBufferPointer { words in
      for first in stride(from: 0, to: words.count, by: Self.words) {
        Self.carry(UnsafeMutableBufferPointer(rebasing: words[first..<first + Self.digits]))
      }
    }
    try ranks.sum(&storage)
  }

  /// How many 64-bit integers a message needs for `count` sums.
  public static func messageWords(count: Int) -> Int { count * words }

  /// Writes the sums into a message whose words are to be added up over ranks; `read` takes the totals back. Local.
  public func write(to message: UnsafeMutablePointer<Int64>) {
    for i in storage.indices { message[i] = storage[i] }
    for first in stride(from: 0, to: storage.count, by: Self.words) {
      Self.carry(UnsafeMutableBufferPointer(start: message + first, count: Self.digits))
    }
  }

  /// Replaces the sums by those of a message. Local.
  public mutating func read(from message: UnsafePointer<Int64>) {
    for i in storage.indices { storage[i] = message[i] }
  }

  /// Sum `k`, rounded to the nearest double. Local; the same bits whatever the order of the additions.
  public subscript(k: Int) -> Double {
    let first = k * Self.words
    if storage[first + Self.digits] != 0 { return .nan }
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: Self.digits) { digits in
      for i in digits.indices { digits[i] = storage[first + i] }
      Self.carry(digits)
      // The top digit now has the sign of the whole.
      let isNegative = digits[Self.digits - 1] < 0
      if isNegative {
        for i in digits.indices { digits[i] = -digits[i] }
        Self.carry(digits)
      }
      guard let top = digits.lastIndex(where: { $0 != 0 }) else { return 0 }
      // Three digits have at least 65 bits, more than a double; of what lies below it only matters whether it is 0.
      let lowest = Swift.max(top - 2, 0)
      var leading: UInt128 = 0
      for i in (lowest...top).reversed() { leading = leading << 32 | UInt128(digits[i]) }
      if digits[..<lowest].contains(where: { $0 != 0 }) { leading |= 1 }
      return Double(
        sign: isNegative ? .minus : .plus, exponent: Self.lowestExponent + 32 * lowest,
        significand: Double(leading))
    }
  }

  /// Moves what exceeds 32 bits to the next digit; all digits but the top one are then in 0 ..< 2^32.
  private static func carry(_ digits: UnsafeMutableBufferPointer<Int64>) {
    for i in 0..<Self.digits - 1 {
      let up = digits[i] >> 32
      digits[i] -= up << 32
      digits[i + 1] += up
    }
  }
}
