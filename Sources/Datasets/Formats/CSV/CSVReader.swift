import Basics
import Files
import MPI

/// Reads the lines of a text file, each rank some of them.
struct CSVReader {
  /// Bytes of text that are parsed at a time.
  private static let pieceSize = 1 << 20

  let layout: CSVLayout
  var parser: CSVParser
  /// The lines that are looked at for values that merge.
  var sample: CSVSample

  /// - Parameter file: what is to be read.
  init(layout: CSVLayout, intake: Intake, _ file: FileHead) {
    self.layout = layout
    parser = CSVParser(layout: layout, intake: intake)
    sample = CSVSample(layout: layout, size: file.isCompressed ? nil : file.size - layout.dataStart)
  }

  /// This rank's samples of a plain file of `size` bytes: those whose lines begin in its share of them. Collective.
  mutating func readOwnBytes(
    of size: Int, over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    let contents = layout.dataStart..<size
    let range = byteRange(of: ranks.rank, of: ranks.size, in: contents)
    let rank = ranks.rank
    var parcels: [Parcel] = []
    var line = 1
    let fault = try ranks.fault {
      let file = try InputFile(layout.path)
      var done = 0
      try forEachPiece(
        ofLinesIn: range, of: contents, size: Self.pieceSize, read: { try file.read($0, at: $1) },
        longLine: { longLine(layout.path) }
      ) { text, offset in
        let order = Parcel.order(rank: rank, index: parcels.count)
        parcels.append(try parser.parse(text, order: order, line: &line))
        sample.take(text, at: offset)
        done += text.count
        progress(min(Double(done) / Double(range.count), 1))
      }
    }
    // A rank that has stopped at a fault does not know its number of lines, but whoever is above it needs it no
    // more.
    let before = try ranks.sumOfLowerRanks(line - 1)
    try ranks.agree(onEarliest: fault, before: layout.firstLine - 1 + before)
    return parcels
  }

  /// This rank's samples of a compressed file, which rank 0 inflates and deals out. Collective.
  mutating func readStream(
    over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    let layout = layout
    var parcels: [Parcel] = []
    var sample = sample
    try deal(over: ranks) { hand in
      var line = layout.firstLine
      do {
        let stream = try InputStream(layout.path)
        _ = try stream.bytes(layout.dataStart)
        let contents = layout.dataStart..<Int.max
        try forEachPiece(
          ofLinesIn: contents, of: contents, size: Self.pieceSize,
          read: { buffer, _ in try stream.read(buffer) }, longLine: { longLine(layout.path) }
        ) { text, offset in
          sample.take(text, at: offset)
          try hand(text, line)
          line += countLines(text)
          progress(stream.fraction)
        }
      } catch let failure as Failure {
        throw Fault(index: line, status: failure.status) { _ in failure.message }
      }
    } take: { text, k, first in
      var line = first
      parcels.append(try parser.parse(text, order: k, line: &line))
    }
    self.sample = sample
    return parcels
  }
}
