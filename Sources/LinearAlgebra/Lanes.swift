public import CLanes

/// Sixteen numbers that are computed at once.
public typealias Lanes = SIMD16<Float>

extension SIMD16<Float> {
  /// x y + z, rounded once where the processor can (FMA), else twice.
  @inlinable @inline(__always)
  public static func multiplyAdd(_ x: Lanes, _ y: Lanes, _ z: Lanes) -> Lanes { lanes_multiply_add(x, y, z) }

  /// The smaller of each pair.
  @inlinable @inline(__always)
  public static func min(_ x: Lanes, _ y: Lanes) -> Lanes { lanes_min(x, y) }

  /// The larger of each pair.
  @inlinable @inline(__always)
  public static func max(_ x: Lanes, _ y: Lanes) -> Lanes { lanes_max(x, y) }

  /// Lane by lane `x` where a < b, else `y`.
  @inlinable @inline(__always)
  public static func whereLess(_ a: Lanes, _ b: Lanes, _ x: Lanes, else y: Lanes) -> Lanes {
    lanes_where_less(a, b, x, y)
  }

  /// e^x for x ≤ 0, to 2 units in the last place.
  @inlinable @inline(__always)
  public static func expOfNegative(_ x: Lanes) -> Lanes { lanes_exp_of_negative(x) }

  /// e^x − 1 for x ≤ 0, to 2 units in the last place.
  @inlinable @inline(__always)
  public static func expMinusOneOfNegative(_ x: Lanes) -> Lanes { lanes_exp_minus_one_of_negative(x) }

  /// log(1 + u) for 0 ≤ u ≤ 1, to 2 units in the last place.
  @inlinable @inline(__always)
  public static func logOfOnePlus(_ u: Lanes) -> Lanes { lanes_log_of_one_plus(u) }

  /// Whether any number is positive.
  @inlinable @inline(__always)
  public var hasPositive: Bool { lanes_any_positive(self) != 0 }

  /// |x|, lane by lane.
  @inlinable @inline(__always)
  public var magnitude: Lanes { .max(self, Lanes.zero - self) }

  /// The sum of all lanes, always in the same order: halves are added until one is left.
  @inlinable @inline(__always)
  public var total: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// The sixteen numbers at an address. Need not be aligned.
  @inlinable @inline(__always)
  public init(at address: UnsafePointer<Float>) {
    self = UnsafeRawPointer(address).loadUnaligned(as: Lanes.self)
  }

  /// The first `count` of the sixteen numbers at an address, then zeros. All sixteen must be readable.
  @inlinable @inline(__always)
  public init(at address: UnsafePointer<Float>, count: Int) { self = Lanes(at: address).first(count) }

  /// The first `count` numbers, then those of `rest`: zeros.
  @inlinable @inline(__always)
  public func first(_ count: Int, rest: Lanes = .zero) -> Lanes {
    lanes_first(self, Int32(truncatingIfNeeded: count), rest)
  }

  /// Writes the sixteen numbers to an address. Need not be aligned.
  @inlinable @inline(__always)
  public func store(at address: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(address).storeBytes(of: self, as: Lanes.self)
  }
}

/// How many lanes there are.
@inlinable public var laneCount: Int { 16 }

/// How many vectors hold so many rows.
@inlinable public func wholeVectors(_ rows: Int) -> Int { (rows + laneCount - 1) / laneCount }

/// `rows` and the rows of padding that make a column whole vectors; where that would put columns a multiple of 1 KiB
/// apart, a vector more, so that they don't compete for the same few sets of a cache.
public func paddedRows(_ rows: Int) -> Int {
  let vectors = wholeVectors(rows)
  return laneCount * (vectors > 0 && vectors.isMultiple(of: 16) ? vectors + 1 : vectors)
}

/// Asks for the cache line at an address, which will be read and written. Local; a nanosecond.
@inlinable @inline(__always)
public func prefetch(_ address: UnsafePointer<Float>) { lanes_prefetch(address) }
