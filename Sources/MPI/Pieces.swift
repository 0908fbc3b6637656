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

/// Where each rank's elements lie in what `MPI_Allgatherv` makes of them. Its counts and places are 32-bit, and
/// can't go in pieces.
package struct GatherLayout: Sendable, Equatable {
  package let counts: [CInt]
  package let starts: [CInt]
  /// Elements of all ranks together.
  package let total: Int

  /// - Parameter counts: how many elements each rank has.
  /// - Throws: `MPIError` for 2³¹ elements or more in all.
  package init(_ counts: [Int]) throws(MPIError) {
    var starts: [CInt] = []
    var total = 0
    for count in counts {
      precondition(count >= 0, "a vector can't have \(count) elements")
      starts.append(CInt(truncatingIfNeeded: total))
      let (sum, overflow) = total.addingReportingOverflow(count)
      guard !overflow && sum <= Int(CInt.max) else {
        throw MPIError(
          call: "MPI_Allgatherv", code: 0,
          message:
            "the \(counts.count) ranks have more than \(CInt.max) elements in all, which is all that can be "
            + "gathered at once")
      }
      total = sum
    }
    self.counts = counts.map { CInt($0) }
    self.starts = starts
    self.total = total
  }
}
