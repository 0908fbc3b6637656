import Basics
import MPI

/// What a file is sealed with: checksums of all its bytes, in blocks, so that ranks can write and verify large files in
/// parts.
///
/// A sealed file has three parts, of which HDF5 sees the second alone:
/// - a head of 512 bytes: a text with the end of the content, the length of a block and the SHA-256 of the third part.
///   HDF5 calls it a user block;
/// - the content, from byte 512 on;
/// - little-endian numbers of 64 bits: where each stretch of `rows` begins and ends, then the CRC-32 of each block.
///
/// Block k is what lies in bytes k·B ..< (k + 1)·B of the content, in the file's own count. Its CRC-32 (zlib's, of
/// IEEE 802.3) notices any error within 32 bits, and of others all but one in 2^32.
struct Seal: Equatable {
  static let headLength = 512
  private static let title = "admm-mpi, sealed by checksums\n"
  private static let smallestBlock = 1 << 16
  private static let mostBlocks = 1 << 16

  /// Where the content ends and the checksums begin.
  let end: Int
  /// B, the length of a block.
  let block: Int
  /// Stretches of the content that are verified as they are read: arrays of numbers. All else, in which HDF5 finds its
  /// way, is verified before. In order, and apart.
  let rows: [Range<Int>]
  /// The CRC-32 of each block.
  let sums: [UInt32]

  init(end: Int, block: Int, rows: [Range<Int>], sums: [UInt32]) {
    self.end = end
    self.block = block
    self.rows = rows
    self.sums = sums
  }

  /// B of a content that ends there: 64 KiB, or more where the checksums would take more than 512 KiB.
  static func blockLength(end: Int) -> Int {
    sequence(first: smallestBlock) { 2 * $0 }.first { $0 >= end / mostBlocks } ?? smallestBlock
  }

  // MARK: As bytes

  /// The head of the file.
  var head: [UInt8] {
    let text =
      Self.title
      + "content to byte \(end)\nblock \(block)\nrows \(rows.count)\nsha256 \(sha256Hex(checksums))\n"
    return Array(text.utf8) + [UInt8](repeating: 0, count: Self.headLength - text.utf8.count)
  }

  /// What stands behind the content.
  var checksums: [UInt8] {
    let bounds = rows.flatMap { [UInt64($0.lowerBound), UInt64($0.upperBound)] }
    return (bounds + sums.map(UInt64.init)).flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
  }

  /// Whether a file begins as a sealed one, be it a damaged one.
  static func isLikely(_ head: [UInt8]) -> Bool {
    2 * zip(head, title.utf8).count(where: ==) > title.utf8.count
  }

  /// The seal of a file that begins as a sealed one. Local.
  ///
  /// - Throws: a `Failure` of status `badData` where it is damaged or cut.
  init(of file: borrowing InputFile) throws {
    let head = try file.bytes(Self.headLength)
    let numbers = String(decoding: head, as: UTF8.self).split(separator: "\n").dropFirst().prefix(3)
      .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    guard numbers.count == 3, case let (end, block, stretches) = (numbers[0], numbers[1], numbers[2]),
      end >= Self.headLength, end < 1 << 62, block == Self.blockLength(end: end),
      (0..<1 << 20).contains(stretches)
    else { throw damage(file.path) }
    let length = 8 * (2 * stretches + (end - 1) / block + 1)
    guard file.size >= end + length else {
      throw Failure(
        .badData,
        "\(file.path) is truncated: it ends before its contents do. Copy or download it again.")
    }
    let bytes = try file.bytes(length, at: end)
    let words = stride(from: 0, to: length, by: 8).map { i in
      (0..<8).reduce(0) { $0 | UInt64(bytes[i + $1]) << UInt64(8 * $1) }
    }
    let bounds = words.prefix(2 * stretches).map { Int(clamping: $0) }
    let isInOrder = zip([Self.headLength] + bounds, bounds + [end]).allSatisfy { $0 <= $1 }
    guard file.size == end + length, isInOrder else { throw damage(file.path) }
    self.init(
      end: end, block: block,
      rows: stride(from: 0, to: bounds.count, by: 2).map { bounds[$0]..<bounds[$0 + 1] },
      sums: words.dropFirst(2 * stretches).map { UInt32(truncatingIfNeeded: $0) })
    guard self.head == head, checksums == bytes else { throw damage(file.path) }
  }

  /// The content without `rows`.
  var structure: [Range<Int>] {
    zip([Self.headLength] + rows.map(\.upperBound), rows.map(\.lowerBound) + [end]).map { $0..<$1 }
  }
}

private func damage(_ path: String) -> Failure {
  Failure(
    .badData,
    "\(path) is damaged: it is not as it was written, as its checksums show. Copy it again, or make it again."
  )
}

/// A sealed file open for reading: verified where it is asked for, each block once.
package final class SealedFile {
  private let file: InputFile
  private let seal: Seal
  private var isVerified: [Bool]

  /// nil where the file has no seal. Local.
  ///
  /// - Throws: a `Failure`: `noInput` where it can't be opened, `badData` where the seal itself is damaged.
  package init?(_ path: String) throws {
    file = try InputFile(path)
    guard Seal.isLikely(try file.bytes(Seal.headLength)) else { return nil }
    seal = try Seal(of: file)
    isVerified = [Bool](repeating: false, count: seal.sums.count)
  }

  /// Verifies all in which another library finds its way, before that sees it. Local.
  ///
  /// - Throws: a `Failure` of status `badData` where a byte is not as it was written.
  package func verifyStructure() throws { for part in seal.structure { try verify(part) } }

  /// Verifies some bytes before they are read. Local.
  ///
  /// - Throws: a `Failure` of status `badData` that names the bytes where they are not as they were written.
  package func verify(_ bytes: Range<Int>) throws {
    let bytes = bytes.clamped(to: Seal.headLength..<seal.end)
    guard !bytes.isEmpty else { return }
    var buffer: [UInt8] = []
    for k in bytes.lowerBound / seal.block...(bytes.upperBound - 1) / seal.block where !isVerified[k] {
      let place = (k * seal.block..<(k + 1) * seal.block).clamped(to: Seal.headLength..<seal.end)
      if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: seal.block) }
      let sum = try buffer.withUnsafeMutableBufferPointer { buffer in
        let block = UnsafeMutableBufferPointer(rebasing: buffer[..<place.count])
        let count = try file.read(block, at: place.lowerBound)
        return crc32(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(block)[..<count]))
      }
      guard sum == seal.sums[k] else {
        throw Failure(
          .badData,
          "\(file.path) is damaged: its bytes \(place.lowerBound) to \(place.upperBound - 1) are not as they were "
            + "written, as their checksum shows. Copy it again, or make it again.")
      }
      isVerified[k] = true
    }
  }

  /// A file of which all ranks together have verified every byte, each its part. Collective; reads the file once.
  ///
  /// - Parameter unsealed: what is said of a file without a seal, to follow its path.
  /// - Throws: a shared `Failure`: `badData` where it has no seal or a byte is not as it was written, `noInput` where it
  ///   can't be opened.
  package static func verified(
    _ path: String, unsealed: String, over ranks: borrowing Communicator
  ) throws -> SealedFile {
    let (part, parts) = (ranks.rank, ranks.size)
    return try ranks.agree {
      guard let file = try SealedFile(path) else { throw Failure(.badData, "\(path) \(unsealed).") }
      let length = file.seal.end / parts
      try file.verify(length * part..<(part == parts - 1 ? file.seal.end : length * (part + 1)))
      return file
    }
  }

  /// All bytes of a small file up to the checksums, verified. Local.
  ///
  /// - Throws: a `Failure` of status `badData` where a byte is not as it was written.
  package func bytes() throws -> [UInt8] {
    try verify(0..<seal.end)
    return try file.bytes(seal.end)
  }
}
