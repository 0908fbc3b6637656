import MPI
import Testing

/// How long vectors are cut. Only the cutting: no vector is made.
@Suite struct PiecesTests {
  private static let limit = 1 << 30

  /// Counts about 2³⁰, where a second piece begins; about 2³¹, the end of 32-bit counts; about 2³²; and beyond.
  @Test(arguments: [
    0, 1, limit - 1, limit, limit + 1, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 32,
    (1 << 32) + 5,
    7 * limit + 3, (1 << 40) + 1,
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

  @Test func theLongestPiece() {
    let most = Int(Int32.max)
    #expect(Array(Pieces(most, limit: most)) == [0..<most])
    #expect(Array(Pieces(most + 1, limit: most)) == [0..<most, most..<most + 1])
    expectPartition(Array(Pieces(1 << 33, limit: most)), of: 1 << 33, limit: most)
  }

  /// A gathering can't go in pieces: up to 2³¹ − 1 elements of all ranks together are laid out, more are refused.
  @Test func gatheringEndsWhere32BitsDo() throws {
    let most = Int(Int32.max)
    let layout = try GatherLayout([3, 0, most - 5, 2])
    #expect(layout.counts == [3, 0, Int32.max - 5, 2])
    #expect(layout.starts == [0, 3, 3, Int32.max - 2])
    #expect(layout.total == most)
    #expect(try GatherLayout([0, 0]).total == 0)
    #expect(try GatherLayout([most]).total == most)
  }

  @Test(arguments: [
    [1 << 31], [0, (1 << 31) - 1, 1], [1 << 30, 1 << 30], [1 << 32, 5], [Int.max, Int.max],
    [Int](repeating: 1 << 20, count: 2496),
  ])
  func gatheringMoreIsRefused(counts: [Int]) {
    let error = #expect(throws: MPIError.self) { try GatherLayout(counts) }
    #expect(
      error?.description.contains("the \(counts.count) ranks have more than 2147483647 elements") == true)
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
