import Files
import MPI

/// Deals pieces of a stream, which rank 0 alone can read, to all ranks in turn: piece k to rank k mod R. Collective.
///
/// Rank 0 holds one piece at a time. A fault anywhere does not stop the others: all ranks leave when rank 0 has
/// nothing more to deal, and all throw what stands first in the stream.
///
/// - Parameters:
///   - produce: called on rank 0 only; hands each piece to its argument with the number of the piece's first line
///     or sample.
///   - take: called for each of this rank's pieces, with the piece, its place k, and that number.
/// - Throws: a shared `Failure`.
func deal(
  over ranks: borrowing Communicator,
  produce: ((UnsafeBufferPointer<UInt8>, Int) throws -> Void) throws -> Void,
  take: (UnsafeBufferPointer<UInt8>, Int, Int) throws -> Void
) throws {
  var fault: Fault? = nil
  // `produce` calls `take` only while it runs itself.
  try withoutActuallyEscaping(take) { take in
    func takeUnlessFailed(_ piece: UnsafeBufferPointer<UInt8>, _ k: Int, _ first: Int) throws {
      guard fault == nil else { return }
      do { try take(piece, k, first) } catch let found as Fault { fault = found }
    }

    if ranks.isRoot {
      var k = 0
      do {
        try produce { piece, first in
          let recipient = k % ranks.size
          if recipient == 0 {
            try takeUnlessFailed(piece, k, first)
          } else {
            try [k, first, piece.count].withUnsafeBufferPointer { try ranks.send($0, to: recipient) }
            try ranks.send(piece, to: recipient)
          }
          k += 1
        }
      } catch let found as Fault {
        // Rank 0's own fault, if it has one, stands before the place where the stream breaks.
        if fault == nil { fault = found }
      }
      for recipient in 1..<max(ranks.size, 1) {
        try [-1, 0, 0].withUnsafeBufferPointer { try ranks.send($0, to: recipient) }
      }
    } else {
      var piece: [UInt8] = []
      while true {
        var header = [0, 0, 0]
        try header.withUnsafeMutableBufferPointer { try ranks.receive($0, from: 0) }
        guard header[0] >= 0 else { break }
        if piece.count < header[2] { piece = [UInt8](repeating: 0, count: header[2]) }
        try piece.withUnsafeMutableBufferPointer {
          let bytes = UnsafeMutableBufferPointer(rebasing: $0[..<header[2]])
          try ranks.receive(bytes, from: 0)
          try takeUnlessFailed(UnsafeBufferPointer(bytes), header[0], header[1])
        }
      }
    }
  }
  try ranks.agree(onEarliest: fault)
}
