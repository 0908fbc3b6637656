import MPI
import Sums
import TestSupport
import Testing

@Suite(.serialized) struct ExactSumTests {
  // MARK: Against whole numbers

  /// Addends m · 2^(e−60) are whole multiples of 2^-60: 128-bit integers add them exactly.
  @Test(arguments: 0..<20)
  func equalsTheRoundedSumOfWholeNumbers(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    var exact = Int128(0)
    var sum = ExactSum(count: 1)
    for _ in 0..<2000 {
      let m = Int64.random(in: -(1 << 53)...1 << 53, using: &random)
      let e = Int.random(in: 0..<40, using: &random)
      exact += Int128(m) << Int128(e)
      sum.add(Double(sign: .plus, exponent: e - 60, significand: Double(m)), to: 0)
    }
    #expect(sum[0] == nearest(to: exact) * 0x1p-60)
    // Taking away what was found leaves the rounding error: the sum of the digits has lost nothing.
    sum.add(-nearest(to: exact) * 0x1p-60, to: 0)
    #expect(sum[0] == nearest(to: exact - Int128(nearest(to: exact))) * 0x1p-60)
  }

  /// `x` rounded to 53 bits, ties to even.
  private func nearest(to x: Int128) -> Double {
    let magnitude = x.magnitude
    let bits = 128 - magnitude.leadingZeroBitCount
    guard bits > 53 else { return Double(Int64(x)) }
    let shift = UInt128(bits - 53)
    let (kept, rest, half) = (magnitude >> shift, magnitude & ((1 << shift) - 1), UInt128(1) << (shift - 1))
    let up = rest > half || (rest == half && kept & 1 == 1)
    return Double(
      sign: x < 0 ? .minus : .plus, exponent: bits - 53, significand: Double(UInt64(kept + (up ? 1 : 0))))
  }

  @Test func roundsOnceAndTiesToEven() {
    #expect(total([1, 0x1p-53]) == 1)
    #expect(total([1, 0x1p-53, 0x1p-300]) == 1 + 0x1p-52)
    #expect(total([1, 0x1p-53, -0x1p-300]) == 1)
    #expect(total([1, 0x1p-52, 0x1p-53]) == 1 + 0x1p-51)
    #expect(total([1, -0x1p-54, -0x1p-300]) == 1 - 0x1p-53)
    #expect(total([-1, -0x1p-53, -0x1p-300]) == -1 - 0x1p-52)
    // A tie that the second digit rounds down, and the third would push up.
    #expect(total([0x1p63, 0x1p10, 0x1p-40]) == 0x1p63 + 0x1p11)
  }

  // MARK: Range

  @Test func hugeAndTinyAddendsCancel() {
    #expect(total([0x1p287, 0x1p-300, -0x1p287]) == 0x1p-300)
    #expect(total([-0x1p287, -0x1p-300, 0x1p287]) == -0x1p-300)
    #expect(total([0x1p287, -0x1p-300]) == 0x1p287)
    #expect(total([1e60, 1, -1e60, 1e-40, -1]) == 1e-40)
    #expect(total([0.1, 0.2, -0.3]) == 0x1p-55, "the exact sum of the three doubles")
    #expect(total([3.5, -3.5]).bitPattern == 0, "a sum of nothing is +0")
    #expect(total([]) == 0)
    #expect(total([-0.0]) == 0)
  }

  @Test func theSumOfTheNegativesIsTheNegativeSum() {
    let x = wide(count: 500, seed: 3)
    #expect(total(x.map { -$0 }) == -total(x))
    #expect(total(x + x.map { -$0 }) == 0)
  }

  @Test func manyOfTheLargestAddends() {
    let largest = 0x1.fffffffffffffp287
    var sum = ExactSum(count: 1)
    for _ in 0..<1 << 20 { sum.add(-largest, to: 0) }
    #expect(sum[0] == -largest * 0x1p20)
  }

  @Test func theEndsOfTheRange() {
    #expect(total([0x1p-300]) == 0x1p-300)
    #expect(
      total([0x1.fffffffffffffp-301, -Double.leastNonzeroMagnitude, .leastNormalMagnitude]) == 0,
      "too small to count")
    #expect(total([0x1.fffffffffffffp287]) == 0x1.fffffffffffffp287)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 0x1p288, -0x1p288, .greatestFiniteMagnitude])
  func whatIsNotInTheRangeMarksItsSum(x: Double) {
    var sum = ExactSum(count: 3)
    for k in 0..<3 { sum.add(Double(k), to: k) }
    sum.add(x, to: 1)
    sum.add(-x, to: 1)
    #expect(sum[0] == 0)
    #expect(sum[1].isNaN)
    #expect(sum[2] == 2)
  }

  // MARK: Order and ranks

  @Test func anyOrderGivesTheSameBits() {
    let x = wide(count: 1000, seed: 5)
    let expected = total(x)
    var random = SeededGenerator(seed: 6)
    for _ in 0..<20 { #expect(total(x.shuffled(using: &random)) == expected) }
    #expect(total(x.sorted()) == expected)
    #expect(total(x.sorted { abs($0) < abs($1) }) == expected)
    #expect(x.reduce(0, +) != x.reversed().reduce(0, +), "these addends do show a plain sum's order")
  }

  @Test func anySplitOverRanksGivesTheSameBits() throws {
    let x = wide(count: 1000, seed: 7)
    let y = wide(count: 1000, seed: 8).map { -abs($0) }
    let expected = [total(x), total(y)]
    let owners: [(Int, Int) -> Int] = [
      { i, size in i % size }, { i, size in i * size / 1000 }, { i, size in i < 990 ? size - 1 : 0 },
      { _, size in size / 2 },
    ]
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      for owner in owners {
        var sum = ExactSum(count: 2)
        for i in x.indices where owner(i, size) == rank {
          sum.add(x[i], to: 0)
          sum.add(y[i], to: 1)
        }
        try sum.reduce(over: ranks)
        #expect([sum[0], sum[1]] == expected)
      }
    }
  }

  @Test func oneRanksMarkReachesAllRanks() throws {
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      for marking in 0..<size {
        var sum = ExactSum(count: 2)
        sum.add(rank == marking ? .infinity : 1, to: 0)
        sum.add(-1, to: 1)
        try sum.reduce(over: ranks)
        #expect(sum[0].isNaN)
        #expect(sum[1] == Double(-size))
      }
    }
  }

  // MARK: Addends

  private func total(_ x: [Double]) -> Double {
    var sum = ExactSum(count: 1)
    for value in x { sum.add(value, to: 0) }
    return sum[0]
  }

  /// Numbers of both signs over most of the range.
  private func wide(count: Int, seed: UInt64) -> [Double] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      Double(
        sign: Bool.random(using: &random) ? .plus : .minus,
        exponent: Int.random(in: -298...250, using: &random),
        significand: Double.random(in: 1..<2, using: &random))
    }
  }
}
