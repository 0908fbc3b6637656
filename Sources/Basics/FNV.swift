/// A fingerprint of a few words (FNV-1a, 64 bits): quick, and no protection against somebody who wants two to be alike.
package struct FNV {
  package var value: UInt64 = 0xCBF2_9CE4_8422_2325

  package init() {}

  package mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x0000_0100_0000_01B3 }
}
