import Basics
import CZlib
import MPI

/// Whether the beginning of a file is that of a sealed one, be it a damaged one. Local.
package func isSealed(_ head: [UInt8]) -> Bool { Seal.isLikely(head) }

/// The bytes of a sealed file with this content. Local.
package func sealed(_ content: [UInt8]) -> [UInt8] {
  let end = Seal.headLength + content.count
  var parts = PartSums(block: Seal.blockLength(end: end))
  content.withUnsafeBytes { parts.add($0, at: Seal.headLength) }
  let seal = Seal(end: end, block: parts.block, rows: [], sums: parts.parts.map(\.sum))
  return seal.head + content + seal.checksums
}

/// The length of the head of a sealed file, behind which the content begins.
package var sealedHeadLength: Int { Seal.headLength }

extension OutputFile {
  /// From here on, what is written at a place is summed for the seal. The same on every rank.
  ///
  /// - Parameter end: where the content will end.
  package func beginSeal(end: Int) { parts = PartSums(block: Seal.blockLength(end: end)) }

  /// Seals a file that all ranks have written. Collective.
  ///
  /// - Parameters:
  ///   - rows: what the ranks have written since `beginSeal`, all of it, in order; rank 0's matter. The rest is as it
  ///     lies in the file.
  ///   - end: where the content ends.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package func endSeal(rows: [Range<Int>], end: Int, over ranks: borrowing Communicator) throws {
    guard var own = parts else { preconditionFailure("\(name) is sealed before its seal is begun") }
    parts = nil
    let isRoot = ranks.isRoot
    let unsummed = Seal(end: end, block: own.block, rows: rows, sums: [])
    try ranks.agree {
      guard isRoot else { return }
      let file = try InputFile(path)
      for stretch in unsummed.structure { try own.add(stretch, of: file) }
    }
    let all = try ranks.gather(own.parts.flatMap { [$0.start, $0.count, Int($0.sum)] }).flatMap { $0 }
    try ranks.agree {
      guard isRoot else { return }
      let parts = stride(from: 0, to: all.count, by: 3).map {
        PartSums.Part(start: all[$0], count: all[$0 + 1], sum: UInt32(all[$0 + 2]))
      }
      let seal = Seal(end: end, block: own.block, rows: rows, sums: own.joined(parts, end: end))
      try seal.checksums.withUnsafeBytes { try write($0, at: end) }
      try seal.head.withUnsafeBytes { try write($0, at: 0) }
    }
  }
}

/// The checksums of parts of a file, as they are written: of each block's parts.
struct PartSums {
  /// A part of one block.
  struct Part {
    let start: Int
    var count: Int
    var sum: UInt32

    var end: Int { start + count }

    /// Lengthens it by the part that follows.
    mutating func append(_ next: Part) {
      sum = UInt32(truncatingIfNeeded: crc32_combine(UInt(sum), UInt(next.sum), next.count))
      count += next.count
    }
  }

  /// The length of a block.
  let block: Int
  private(set) var parts: [Part] = []

  init(block: Int) { self.block = block }

  /// Sums what stands from byte `offset` of the file on.
  mutating func add(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    var done = 0
    while done < bytes.count {
      let start = offset + done
      let count = min(bytes.count - done, block - start % block)
      let sum = crc32(UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
      Self.append(Part(start: start, count: count, sum: sum), to: &parts, block: block)
      done += count
    }
  }

  /// Sums what stands in a file.
  mutating func add(_ place: Range<Int>, of file: borrowing InputFile) throws {
    for start in stride(from: place.lowerBound, to: place.upperBound, by: 1 << 22) {
      let bytes = try file.bytes(min(1 << 22, place.upperBound - start), at: start)
      bytes.withUnsafeBytes { add($0, at: start) }
    }
  }

  /// The sums of whole blocks, of the parts of all ranks.
  ///
  /// - Precondition: together they are all of the content, each byte once.
  func joined(_ parts: [Part], end: Int) -> [UInt32] {
    var place = Seal.headLength
    var blocks: [Part] = []
    for part in parts.sorted(by: { $0.start < $1.start }) {
      precondition(part.start == place, "bytes \(place) to \(part.start) of a sealed file are written 0 or 2 times")
      Self.append(part, to: &blocks, block: block)
      place = part.end
    }
    precondition(place == end, "a sealed file is written to byte \(place) of \(end)")
    return blocks.map(\.sum)
  }

  private static func append(_ part: Part, to parts: inout [Part], block: Int) {
    if let last = parts.indices.last, parts[last].end == part.start, part.start % block > 0 {
      parts[last].append(part)
    } else {
      parts.append(part)
    }
  }
}

/// The CRC-32 of some bytes. Local.
func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
}
