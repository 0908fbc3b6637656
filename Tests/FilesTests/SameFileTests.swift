import Basics
import Files
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct SameFileTests {
  /// A change of length, or of a byte in one of the blocks, is seen.
  @Test func fingerprints() throws {
    let directory = try TemporaryDirectory()
    var bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * 31 >> 3) }
    func fingerprint(_ bytes: [UInt8]) throws -> Fingerprint {
      try Data(bytes).write(to: URL(filePath: directory.path("a")))
      return try Fingerprint(directory.path("a"))
    }
    let first = try fingerprint(bytes)
    #expect(first.size == 200_000)
    #expect(try fingerprint(bytes) == first)
    #expect(try fingerprint(bytes + [0]) != first && fingerprint(bytes.dropLast()) != first)
    // Head, tail, and the middle of what lies between.
    for place in [0, 4095, 195_904, 199_999, 195_904 / 17 * 8 + 1] {
      bytes[place] ^= 1
      #expect(try fingerprint(bytes) != first, "\(place)")
      bytes[place] ^= 1
    }
    #expect(try fingerprint([]) == fingerprint([]))
    #expect(try fingerprint([1]) != fingerprint([2]))
  }

  /// The last rank finds something else under the path, as on a node with a copy of its own.
  @Test func anotherFileOnOneNode() throws {
    try TestWorld.with { ranks in
      let directory = try TemporaryDirectory()
      let (same, other, none) = (directory.path("same"), directory.path("other"), directory.path("none"))
      try Data("0,1\n".utf8).write(to: URL(filePath: same))
      try Data("0,2\n".utf8).write(to: URL(filePath: other))
      try checkSameFile(same, over: ranks)
      guard ranks.size > 1 else { return }
      let isLast = ranks.rank == ranks.size - 1
      let differing = try #require(throws: Failure.self) {
        try checkSameFile(isLast ? other : same, over: ranks)
      }
      let host = try ranks.hostName()
      #expect(differing.status == .badData && differing.isShared)
      #expect(differing.message.contains("other on \(host) (4 bytes) is not the same file as on \(host)."))
      let missing = try #require(throws: Failure.self) {
        try checkSameFile(isLast ? none : same, over: ranks)
      }
      #expect(missing.status == .noInput && missing.isShared)
      #expect(missing.message.contains("none: there is no such file. Check the path. This is so on \(host)"))
    }
  }
}
