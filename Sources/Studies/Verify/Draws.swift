import Basics

/// Random numbers that have nothing to do with those of training: SplitMix64.
struct Draws {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// 64 random bits.
  mutating func bits() -> UInt64 {
    defer { state &+= splitMixStep }
    return splitMix(state)
  }

  /// A number from `low` to `high`.
  mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(bits() >> 11) * 0x1p-53
  }

  /// About a standard normal deviate: the sum of twelve uniform ones.
  mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + uniform(0, 1) } }

  /// A whole number of 0 ..< count.
  mutating func index(_ count: Int) -> Int { Int(bits() % UInt64(count)) }
}
