import Glibc

/// Random numbers that are a function of a key and a counter: Philox 4×32 with 10 rounds.
///
/// No state, no order: the number for (seed, stream, i, j) is the same on every rank and in every run. Salmon,
/// Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
public struct Philox: Sendable {
  private let key: SIMD2<UInt32>
  private let stream: UInt32

  /// - Parameters:
  ///   - seed: the run's seed.
  ///   - stream: which array the numbers are for; different streams are independent.
  public init(seed: UInt64, stream: UInt32) {
    key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
    self.stream = stream
  }

  /// Four random words for the counter (stream, i, j). Local.
  public func words(_ i: Int, _ j: Int) -> SIMD4<UInt32> {
    precondition(i >= 0 && j >= 0, "counters (\(i), \(j)) must not be negative")
    // j may need more than 32 bits (a sample's index); a row fits.
    return Self.block(
      counter: [
        UInt32(truncatingIfNeeded: j), UInt32(truncatingIfNeeded: j >> 32), UInt32(truncatingIfNeeded: i),
        stream,
      ], key: key)
  }

  /// Philox 4×32-10 itself: a bijection of the counters for each key. Local.
  package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (x0, x1, x2, x3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let a = UInt64(x0) &* 0xD251_1F53
      let b = UInt64(x2) &* 0xCD9E_8D57
      (x0, x1) = (UInt32(truncatingIfNeeded: b >> 32) ^ x1 ^ k0, UInt32(truncatingIfNeeded: b))
      (x2, x3) = (UInt32(truncatingIfNeeded: a >> 32) ^ x3 ^ k1, UInt32(truncatingIfNeeded: a))
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return [x0, x1, x2, x3]
  }

  /// A number that is uniform in [0, 1), a multiple of 2^-53.
  public func uniform(_ i: Int, _ j: Int) -> Double {
    let x = words(i, j)
    return unit(x[0], x[1])
  }

  /// Two independent normal deviates of mean 0 and variance 1: the Box-Muller transform of two uniform numbers.
  public func normals(_ i: Int, _ j: Int) -> (Double, Double) {
    let x = words(i, j)
    let radius = (-2 * log(1 - unit(x[0], x[1]))).squareRoot()
    let angle = 2 * .pi * unit(x[2], x[3])
    return (radius * cos(angle), radius * sin(angle))
  }

  /// Two independent normal deviates in single precision, much faster than `normals`: at most 5.9 in magnitude.
  public func normalFloats(_ i: Int, _ j: Int) -> (Float, Float) {
    let x = words(i, j)
    // Uniform on the middles of 2²⁴ intervals of (0, 1].
    let radius = (-2 * logf((Float(x[0] >> 8) + 0.5) * 0x1p-24)).squareRoot()
    let angle = Float.pi * 0x1p-23 * Float(x[2] >> 8)
    return (radius * cosf(angle), radius * sinf(angle))
  }

  /// A normal deviate of mean 0 and variance 1: the first of `normals`.
  public func normal(_ i: Int, _ j: Int) -> Double { normals(i, j).0 }

  private func unit(_ high: UInt32, _ low: UInt32) -> Double {
    Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
  }
}
