import Basics
import Files
import MPI

/// Makes samples of the bytes of IDX files.
struct IDXReader {
  private let files: IDXFiles
  private let place: Intake.Place
  private(set) var intake: Intake
  /// Some of the values, where single precision may not hold them; no rows where it does.
  private var values: MergedValues

  init(files: IDXFiles, intake: Intake) {
    self.files = files
    self.intake = intake
    place = Intake.Place(path: files.imagesPath, labelsPath: files.labelsPath) { "column \($0 + 1)" }
    values = MergedValues(width: files.images.valuesPerSample)
  }

  /// The features that lose much in single precision. Collective.
  func mergedColumns(over ranks: borrowing Communicator) throws -> [MergedColumn] {
    try values.columns(over: ranks) { "column \($0 + 1)" }
  }

  /// Looks at every so manieth sample of the file, whoever reads it.
  private mutating func lookAt(_ images: UnsafeBufferPointer<UInt8>, _ rows: Range<Int>) {
    let (kind, size) = (files.images.kind, files.images.sampleSize)
    guard !kind.isExactInSinglePrecision, values.rowsWanted > 0, let base = images.baseAddress else { return }
    let step = max(files.images.samples / values.rowsWanted, 1)
    for row in rows where row % step == 0 {
      let sample = base + (row - rows.lowerBound) * size
      values.add { j in
        let value = kind.value(sample + j * kind.size)
        return value.isNaN ? nil : (Float(value), (value + 0).bitPattern)
      }
    }
  }

  /// This rank's part of plain files. Collective.
  mutating func readOwnRows(
    over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    let pieces = rowPieces(of: files.images.samples, length: files.images.valuesPerSample, over: ranks)
    let rank = ranks.rank
    var parcels: [Parcel] = []
    let fault = try ranks.fault {
      guard let first = pieces.first else { return }
      let images = try InputFile(files.imagesPath)
      let labels = try labelStream(from: first.lowerBound)
      var bytes = [UInt8](repeating: 0, count: first.count * files.images.sampleSize)
      for (index, rows) in pieces.enumerated() {
        try bytes.withUnsafeMutableBufferPointer { all in
          let piece = UnsafeMutableBufferPointer(rebasing: all[..<(rows.count * files.images.sampleSize)])
          let offset = files.images.size + rows.lowerBound * files.images.sampleSize
          guard try images.read(piece, at: offset) == piece.count else { throw Self.truncated(images.path) }
          let own = try labelBytes(labels, rows.count)
          parcels.append(
            try parcel(UnsafeBufferPointer(piece), own, rows, order: Parcel.order(rank: rank, index: index)))
        }
        progress(Double(index + 1) / Double(pieces.count))
      }
    }
    try ranks.agree(onEarliest: fault)
    return parcels
  }

  /// This rank's share of compressed files, which rank 0 inflates and deals out: samples, then their labels.
  /// Collective.
  mutating func readStream(
    over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    var parcels: [Parcel] = []
    let stream = self
    try deal(over: ranks) { hand in
      try stream.dealOut(hand, progress: progress)
    } take: { bytes, k, first in
      let rows = stream.rows(from: first)
      let cut = rows.count * files.images.sampleSize
      parcels.append(
        try parcel(UnsafeBufferPointer(rebasing: bytes[..<cut]), Array(bytes[cut...]), rows, order: k))
    }
    return parcels
  }

  /// The samples of a piece of the stream.
  private func rows(from first: Int) -> Range<Int> {
    let count = max(Parcel.limit / files.images.valuesPerSample, 1)
    return first..<min(first + count, files.images.samples)
  }

  /// Inflates both files and hands them on, some samples at a time. For rank 0.
  private func dealOut(
    _ hand: (UnsafeBufferPointer<UInt8>, Int) throws -> Void, progress: (Double) -> Void
  ) throws {
    var first = 0
    do {
      let images = try InputStream(files.imagesPath)
      try images.skip(files.images.size)
      let labels = try labelStream(from: 0)
      while first < files.images.samples {
        let rows = rows(from: first)
        var bytes = try images.bytes(rows.count * files.images.sampleSize)
        guard bytes.count == rows.count * files.images.sampleSize else {
          throw Self.truncated(files.imagesPath)
        }
        bytes += try labelBytes(labels, rows.count)
        try bytes.withUnsafeBufferPointer { try hand($0, first) }
        first = rows.upperBound
        progress(images.fraction)
      }
      for (stream, path) in [(images, files.imagesPath), (labels, files.labelsPath)] {
        guard try stream?.bytes(1).isEmpty ?? true else {
          throw Failure(
            .badData, "\(path) has more bytes than its header announces. Copy or download it again.")
        }
      }
    } catch let failure as Failure {
      throw Fault(index: first + 1, status: failure.status) { _ in failure.message }
    }
  }

  /// The labels from that of sample `first` on; `nil` where the files have none.
  private func labelStream(from first: Int) throws -> InputStream? {
    guard let header = files.labels else { return nil }
    let labels = try InputStream(files.labelsPath)
    try labels.skip(header.size + first * header.sampleSize)
    return labels
  }

  /// The bytes of the next `count` labels; none where the files have no labels.
  private func labelBytes(_ stream: InputStream?, _ count: Int) throws -> [UInt8] {
    guard let stream, let header = files.labels else { return [] }
    let bytes = try stream.bytes(count * header.sampleSize)
    guard bytes.count == count * header.sampleSize else { throw Self.truncated(files.labelsPath) }
    return bytes
  }

  private static func truncated(_ path: String) -> Failure {
    Failure(
      .badData, "\(path) is truncated: it ends before its last sample. Copy or download it again.")
  }

  /// Makes a parcel of the bytes of some rows and their labels. Throws `Fault` with the sample's number, from 1.
  private mutating func parcel(
    _ images: UnsafeBufferPointer<UInt8>, _ labels: [UInt8], _ rows: Range<Int>, order: Int
  ) throws -> Parcel {
    let kind = files.images.kind
    let header = files.labels
    lookAt(images, rows)
    return try intake.parcel(
      order: order, rows: rows, features: kind.floats(images), at: place
    ) { i throws(LabelTable.Refusal) in
      guard let header else { return .none }
      return .number(
        labels.withUnsafeBufferPointer { bytes in
          bytes.baseAddress.map { header.kind.value($0 + i * header.sampleSize) } ?? .nan
        })
    }
  }
}
