import MPI
import Testing

/// How long vectors are cut. Only the cutting: no vector is made.
@Suite struct PiecesTests {
  private static let limit = 1 << 30

  @Test(arguments: [
    0, 1, limit - 1, limit, limit + 1, 2 * limit - 1, 2 * limit, 2 * limit + 1, Int(UInt32.max),
    7 * limit + 3,
  ])
  func piecesFitA32BitCount(count: Int) {
    let pieces = Array(Pieces(count))
    expectPartition(pieces, of: count, limit: Self.limit)
    #expect(pieces.allSatisfy { Int32(exactly: $0.count) != nil })
  }

  @Test(arguments: [1, 2, 3, 7, 100], [0, 1, 2, 3, 6, 7, 8, 99, 100, 101])
  func piecesOfASmallLimit(limit: Int, count: Int) {
    expectPartition(Array(Pieces(count, limit: limit)), of: count, limit: limit)
  }

  @Test func piecesByHand() {
    #expect(Array(Pieces(10, limit: 4)) == [0..<4, 4..<8, 8..<10])
    #expect(Array(Pieces(1 << 31)) == [0..<1 << 30, 1 << 30..<1 << 31])
    #expect(Array(Pieces(0)).isEmpty)
  }

  /// In order, without gap or overlap, none empty, and no more of them than needed.
  private func expectPartition(_ pieces: [Range<Int>], of count: Int, limit: Int) {
    var end = 0
    for piece in pieces {
      #expect(piece.lowerBound == end)
      #expect((1...limit).contains(piece.count))
      end = piece.upperBound
    }
    #expect(end == count)
    #expect(pieces.count == (count + limit - 1) / limit)
  }
}
