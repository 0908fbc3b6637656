/// Spreads every bit of a word over all: SplitMix64's next number after this state (Steele, Lea & Flood, 2014).
package func splitMix(_ state: UInt64) -> UInt64 {
  var x = state &+ splitMixStep
  x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
  x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
  return x ^ (x >> 31)
}

/// How far one state of SplitMix64 is from the next.
package let splitMixStep: UInt64 = 0x9E37_79B9_7F4A_7C15
