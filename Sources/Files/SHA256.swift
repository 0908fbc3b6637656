import CCrypto

/// The SHA-256 digest of some bytes, in 64 lower-case hexadecimal digits. Local; FIPS 180-4.
public func sha256Hex(_ bytes: [UInt8]) -> String {
  bytes.withUnsafeBytes { sha256Hex($0) }
}

/// The SHA-256 digest of raw memory, in 64 lower-case hexadecimal digits. Local.
public func sha256Hex(_ bytes: UnsafeRawBufferPointer) -> String {
  let digest = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
    SHA256(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, digest.baseAddress)
    count = digest.count
  }
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
