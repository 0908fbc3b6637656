import Basics
import Files
import HDF5
import MPI

/// Reads a text file: a plain one by byte ranges, a compressed one through rank 0. Collective.
func readCSV(
  _ source: Source, _ inspection: Inspection, task: LearningTask, missing: Source.MissingValues,
  table: LabelTable,
  over ranks: borrowing Communicator, progress: (Double) -> Void
) throws -> ReadSamples {
  let layout = try ranks.agree { try CSVLayout(head: inspection.head, source: source) }
  var parser = CSVParser(layout: layout, task: task, missing: missing, table: table)
  let parcels =
    inspection.isCompressed
    ? try readStream(layout, &parser, over: ranks, progress: progress)
    : try readOwnBytes(inspection.fileSize, layout, &parser, over: ranks, progress: progress)
  return ReadSamples(
    parcels: parcels, table: parser.table, featureNames: layout.featureNames, hasLabels: layout.label != nil)
}

/// Bytes of text a block.
private let blockSize = 1 << 20

/// This rank's samples of a plain file: those whose lines begin in its share of the bytes. Collective.
private func readOwnBytes(
  _ size: Int, _ layout: CSVLayout, _ parser: inout CSVParser, over ranks: borrowing Communicator,
  progress: (Double) -> Void
) throws -> [Parcel] {
  let contents = layout.dataStart..<size
  let range = byteRange(of: ranks.rank, of: ranks.size, in: contents)
  let rank = ranks.rank
  var parcels: [Parcel] = []
  var line = 1
  var fault: Fault? = nil
  try ranks.agree {
    do {
      let file = try InputFile(layout.path)
      var done = 0
      try forEachBlock(
        ofLinesIn: range, of: contents, blockSize: blockSize,
        read: { try file.read($0, at: $1) }, longLine: { longLine(layout.path) }
      ) { text in
        let parcel = try parser.parse(
          text, order: Parcel.order(rank: rank, index: parcels.count), line: &line)
        parcels.append(parcel)
        done += text.count
        progress(min(Double(done) / Double(range.count), 1))
      }
    } catch let found as Fault {
      fault = found
    }
  }
  // A rank that has stopped at a fault does not know its number of lines, but whoever is above it needs it no more.
  let before = try ranks.sumOfLowerRanks(line - 1)
  try ranks.agree(onEarliest: fault, before: layout.firstLine - 1 + before)
  return parcels
}

/// This rank's samples of a compressed file, which rank 0 inflates and deals out. Collective.
private func readStream(
  _ layout: CSVLayout, _ parser: inout CSVParser, over ranks: borrowing Communicator,
  progress: (Double) -> Void
) throws -> [Parcel] {
  var parcels: [Parcel] = []
  try deal(over: ranks) { hand in
    var line = layout.firstLine
    do {
      let stream = try InputStream(layout.path)
      _ = try stream.bytes(layout.dataStart)
      let contents = layout.dataStart..<Int.max
      try forEachBlock(
        ofLinesIn: contents, of: contents, blockSize: blockSize,
        read: { buffer, _ in try stream.read(buffer) }, longLine: { longLine(layout.path) }
      ) { text in
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
  return parcels
}
