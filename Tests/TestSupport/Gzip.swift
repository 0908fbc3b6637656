/// A gzip file of one member with stored, not compressed, blocks (RFC 1951, RFC 1952): any payload, and a sum that
/// fits.
public func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var sum: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }
  func littleEndian(_ x: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: x >> (8 * $0)) }
  }
  var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  let size = 65_535
  for start in stride(from: 0, to: max(bytes.count, 1), by: size) {
    let block = bytes[start..<min(start + size, bytes.count)]
    file.append(start + size >= bytes.count ? 1 : 0)
    file += littleEndian(block.count, 2) + littleEndian(~block.count, 2) + block
  }
  return file + littleEndian(Int(~sum), 4) + littleEndian(bytes.count, 4)
}
