/// The ranges that cut `count` elements into consecutive pieces of at most `limit` each.
///
/// MPI counts are 32-bit: a longer vector goes in pieces. Empty for `count` 0.
package struct Pieces: Sequence, IteratorProtocol {
  /// The longest piece by default: 2³⁰ elements, well below `CInt.max`, and a multiple of every vector width.
  package static let limit = 1 << 30

  private var start = 0
  private let count: Int
  private let limit: Int

  package init(_ count: Int, limit: Int = Pieces.limit) {
    precondition(count >= 0, "a vector can't have \(count) elements")
    precondition(limit > 0 && limit <= Int(CInt.max), "a piece can't have \(limit) elements")
    self.count = count
    self.limit = limit
  }

  package mutating func next() -> Range<Int>? {
    guard start < count else { return nil }
    let piece = start..<Swift.min(start + limit, count)
    start = piece.upperBound
    return piece
  }
}
