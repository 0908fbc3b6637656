import Glibc
import LinearAlgebra
import Testing

@Suite struct PhiloxTests {
  /// The known answers for philox4x32-10 that the authors publish with Random123.
  @Test func knownAnswers() {
    let all = UInt32.max
    #expect(
      Philox.block(counter: [0, 0, 0, 0], key: [0, 0]) == [
        0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8,
      ])
    #expect(
      Philox.block(counter: [all, all, all, all], key: [all, all])
        == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    #expect(
      Philox.block(
        counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], key: [0xa409_3822, 0x299f_31d0])
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  /// The counter is (low half of j, high half of j, i, stream), the key the seed: a change would change every run.
  @Test func theCounterAndTheKey() {
    let random = Philox(seed: 0x299f_31d0_a409_3822, stream: 0x0370_7344)
    let j = 0x05a3_08d3_243f_6a88
    let expected = Philox.block(
      counter: [0x243f_6a88, 0x05a3_08d3, 0x1319_8a2e, 0x0370_7344], key: [0xa409_3822, 0x299f_31d0])
    #expect(random.words(0x1319_8a2e, j) == expected)
  }

  @Test func uniformAndNormalAreFunctionsOfTheirWords() {
    let random = Philox(seed: 9, stream: 2)
    for j in 0..<100 {
      let x = random.words(3, j)
      let first = Double((UInt64(x[0]) << 32 | UInt64(x[1])) >> 11) / 0x1p53
      let second = Double((UInt64(x[2]) << 32 | UInt64(x[3])) >> 11) / 0x1p53
      #expect(random.uniform(3, j) == first)
      let expected = (-2 * log(1 - first)).squareRoot() * cos(2 * Double.pi * second)
      #expect(abs(random.normal(3, j) - expected) < 1e-12)
    }
  }

  // MARK: Distribution
  //
  // n numbers each; every bound is five standard deviations of the statistic, but for Kolmogorov's, which chance
  // passes once in a thousand. The numbers are seeded: a test either always passes or never.

  private static let n = 100_000

  private func uniforms(seed: UInt64 = 42, stream: UInt32 = 1, row: Int = 0) -> [Double] {
    let random = Philox(seed: seed, stream: stream)
    return (0..<Self.n).map { random.uniform(row, $0) }
  }

  private func normals(seed: UInt64 = 42, stream: UInt32 = 1, row: Int = 0) -> [Double] {
    let random = Philox(seed: seed, stream: stream)
    return (0..<Self.n).map { random.normal(row, $0) }
  }

  private func moment(_ k: Int, _ x: [Double], around center: Double = 0) -> Double {
    x.reduce(0) { $0 + pow($1 - center, Double(k)) } / Double(x.count)
  }

  /// The largest distance between the numbers' distribution and F, times √n; above 1.95 once in a thousand.
  private func kolmogorov(_ x: [Double], _ F: (Double) -> Double) -> Double {
    let n = Double(x.count)
    var largest = 0.0
    for (i, value) in x.sorted().enumerated() {
      largest = max(largest, abs(F(value) - Double(i) / n), abs(F(value) - Double(i + 1) / n))
    }
    return largest * n.squareRoot()
  }

  @Test func uniformDistribution() {
    let x = uniforms()
    let root = Double(Self.n).squareRoot()
    #expect(x.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(moment(1, x) - 0.5) < 5 * (1 / 12.0).squareRoot() / root)
    #expect(abs(moment(2, x, around: 0.5) - 1 / 12.0) < 5 * (1 / 180.0).squareRoot() / root)
    #expect(kolmogorov(x) { $0 } < 1.95)
  }

  @Test func normalDistribution() {
    let x = normals()
    let root = Double(Self.n).squareRoot()
    #expect(abs(moment(1, x)) < 5 / root)
    #expect(abs(moment(2, x) - 1) < 5 * 2.0.squareRoot() / root)
    #expect(abs(moment(3, x)) < 5 * 15.0.squareRoot() / root)
    #expect(abs(moment(4, x) - 3) < 5 * 96.0.squareRoot() / root)
    #expect(kolmogorov(x) { 0.5 * erfc(-$0 / 2.0.squareRoot()) } < 1.95)
  }

  @Test func normalDistributionInSinglePrecision() {
    let random = Philox(seed: 42, stream: 1)
    let pairs = (0..<Self.n).map { random.normalFloats(0, $0) }
    let root = Double(Self.n).squareRoot()
    for x in [pairs.map { Double($0.0) }, pairs.map { Double($0.1) }] {
      #expect(x.allSatisfy { abs($0) < 6 })
      #expect(abs(moment(1, x)) < 5 / root)
      #expect(abs(moment(2, x) - 1) < 5 * 2.0.squareRoot() / root)
      #expect(abs(moment(4, x) - 3) < 5 * 96.0.squareRoot() / root)
      #expect(kolmogorov(x) { 0.5 * erfc(-$0 / 2.0.squareRoot()) } < 1.95)
    }
    let products = pairs.map { Double($0.0) * Double($0.1) }
    #expect(abs(moment(1, products)) < 5 / root, "the two of a pair are independent")
  }

  /// Streams, seeds, rows and neighbouring samples are uncorrelated.
  @Test func independence() {
    let x = normals()
    let others: [(String, [Double])] = [
      ("next stream", normals(stream: 2)), ("far stream", normals(stream: 1 << 16)),
      ("next seed", normals(seed: 43)),
      ("seed in the high word", normals(seed: 42 | 1 << 32)), ("next row", normals(row: 1)),
      ("next sample", Array(x.dropFirst()) + [0]), ("half way round", Array(x[50_000...] + x[..<50_000])),
    ]
    for (name, y) in others {
      let correlation = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / Double(Self.n)
      #expect(abs(correlation) < 5 / Double(Self.n).squareRoot(), "\(name): \(correlation)")
      let ofSquares = zip(x, y).reduce(0) { $0 + ($1.0 * $1.0 - 1) * ($1.1 * $1.1 - 1) } / Double(Self.n)
      #expect(abs(ofSquares) < 5 * 2 / Double(Self.n).squareRoot(), "\(name), squares: \(ofSquares)")
    }
  }

  @Test func noBlockComesTwice() {
    var seen = Set<SIMD4<UInt32>>()
    for stream in 0..<3 {
      let random = Philox(seed: 5, stream: UInt32(stream))
      for i in 0..<30 {
        for j in [0, 1, 2, 29, 1 << 31, 1 << 32, 1 << 33, (1 << 32) + 1] { seen.insert(random.words(i, j)) }
      }
    }
    #expect(seen.count == 3 * 30 * 8)
  }
}
