import Basics
import Files
import MPI
import Settings
import Sums

/// Reads the samples and labels of IDX files: plain ones by offset, compressed ones through rank 0. Collective.
///
/// The values of a sample are its features, in the order of the file and as they are.
func readIDX(
  _ source: Source, _ inspection: Inspection, task: LearningTask, missing: Source.MissingValues,
  table: LabelTable,
  over ranks: borrowing Communicator, progress: (Double) -> Void
) throws -> ReadSamples {
  let files = try IDXFiles(source, inspection, over: ranks)
  var reader = IDXReader(files: files, task: task, missing: missing, table: table)
  let parcels =
    files.isStream
    ? try reader.readStream(over: ranks, progress: progress)
    : try reader.readOwnPart(over: ranks, progress: progress)
  return ReadSamples(
    parcels: parcels, table: reader.table,
    featureNames: (0..<files.images.valuesPerSample).map { "x\($0 + 1)" },
    hasLabels: files.labels != nil)
}

/// Makes samples of the bytes of IDX files.
private struct IDXReader {
  private let files: IDXFiles
  private let task: LearningTask
  private let missing: Source.MissingValues
  private(set) var table: LabelTable

  init(files: IDXFiles, task: LearningTask, missing: Source.MissingValues, table: LabelTable) {
    self.files = files
    self.task = task
    self.missing = missing
    self.table = table
  }

  /// Samples a parcel.
  private var blockCount: Int { max(Parcel.limit / files.images.valuesPerSample, 1) }

  /// This rank's part of plain files. Collective.
  mutating func readOwnPart(
    over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    let range = Partition(samples: files.images.samples, ranks: ranks.size).range(of: ranks.rank)
    let rank = ranks.rank
    var parcels: [Parcel] = []
    var fault: Fault? = nil
    try ranks.agree {
      do {
        guard !range.isEmpty else { return }
        let images = try InputFile(files.imagesPath)
        let labels = files.labels == nil ? nil : try InputStream(files.labelsPath)
        if let labels, let header = files.labels {
          try labels.skip(header.size + range.lowerBound * header.sampleSize)
        }
        var bytes = [UInt8](repeating: 0, count: min(blockCount, range.count) * files.images.sampleSize)
        for first in stride(from: range.lowerBound, to: range.upperBound, by: blockCount) {
          let count = min(blockCount, range.upperBound - first)
          try bytes.withUnsafeMutableBufferPointer { all in
            let piece = UnsafeMutableBufferPointer(rebasing: all[..<(count * files.images.sampleSize)])
            let offset = files.images.size + first * files.images.sampleSize
            guard try images.read(piece, at: offset) == piece.count else { throw Self.truncated(images.path) }
            let labelBytes = try Self.labelBytes(labels, count, files)
            parcels.append(
              try parcel(
                UnsafeBufferPointer(piece), labelBytes, count: count, first: first,
                order: Parcel.order(rank: rank, index: parcels.count)))
          }
          progress(Double(first + count - range.lowerBound) / Double(range.count))
        }
      } catch let found as Fault {
        fault = found
      }
    }
    try ranks.agree(onEarliest: fault)
    return parcels
  }

  /// This rank's share of compressed files, which rank 0 inflates and deals out: samples, then their labels. Collective.
  mutating func readStream(
    over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    var parcels: [Parcel] = []
    let files = files
    let blockCount = blockCount
    try deal(over: ranks) { hand in
      var first = 0
      do {
        let images = try InputStream(files.imagesPath)
        try images.skip(files.images.size)
        let labels = try files.labels.map { header in
          let labels = try InputStream(files.labelsPath)
          try labels.skip(header.size)
          return labels
        }
        while first < files.images.samples {
          let count = min(blockCount, files.images.samples - first)
          var bytes = try images.bytes(count * files.images.sampleSize)
          guard bytes.count == count * files.images.sampleSize else {
            throw Self.truncated(files.imagesPath)
          }
          bytes += try Self.labelBytes(labels, count, files)
          try bytes.withUnsafeBufferPointer { try hand($0, first) }
          first += count
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
    } take: { bytes, k, first in
      let count = min(blockCount, files.images.samples - first)
      let cut = count * files.images.sampleSize
      parcels.append(
        try parcel(
          UnsafeBufferPointer(rebasing: bytes[..<cut]), Array(bytes[cut...]), count: count, first: first,
          order: k))
    }
    return parcels
  }

  /// The bytes of the next `count` labels; none where the files have no labels.
  private static func labelBytes(
    _ stream: InputStream?, _ count: Int, _ files: IDXFiles
  ) throws -> [UInt8] {
    guard let stream, let header = files.labels else { return [] }
    let bytes = try stream.bytes(count * header.sampleSize)
    guard bytes.count == count * header.sampleSize else { throw Self.truncated(files.labelsPath) }
    return bytes
  }

  private static func truncated(_ path: String) -> Failure {
    Failure(
      .badData, "\(path) is truncated: it ends before its last sample. Copy or download it again.")
  }

  /// Samples first ..< first + count. Throws `Fault` with the sample's number, from 1.
  private mutating func parcel(
    _ images: UnsafeBufferPointer<UInt8>, _ labelBytes: [UInt8], count: Int, first: Int, order: Int
  ) throws -> Parcel {
    var parcel = Parcel(order: order)
    let d = files.images.valuesPerSample
    let kind = files.images.kind
    parcel.features.reserveCapacity(count * d)
    for i in 0..<count {
      if let header = files.labels {
        let label = labelBytes.withUnsafeBufferPointer { bytes in
          bytes.baseAddress.map { header.kind.value($0 + i * header.sampleSize) } ?? .nan
        }
        guard try append(label, of: first + i, to: &parcel) else { continue }
      }
      guard let sample = images.baseAddress.map({ $0 + i * files.images.sampleSize }) else { continue }
      for j in 0..<d {
        let value = Float(kind.value(sample + j * kind.size))
        parcel.features.append(
          value.isFinite ? value : try replacement(of: value, sample: first + i, column: j))
      }
      parcel.count += 1
    }
    return parcel
  }

  /// Returns false where the selection leaves the sample out.
  private mutating func append(_ label: Double, of sample: Int, to parcel: inout Parcel) throws -> Bool {
    let path = files.labelsPath
    if task == .regression {
      guard label.isFinite || missing == .keepNaN else {
        throw Fault(index: sample + 1) {
          "\(path), sample \($0): the label \(label) is not a finite number. Correct the file."
        }
      }
      parcel.targets.append(Float(label))
      return true
    }
    do {
      let code = try table.code(label)
      if code == LabelTable.leftOut { return false }
      parcel.codes.append(code)
      return true
    } catch {
      throw Fault(index: sample + 1) { "\(path), sample \($0): \(error.message)" }
    }
  }

  private func replacement(of value: Float, sample: Int, column: Int) throws -> Float {
    guard missing == .refuse else { return .nan }
    throw notFinite(value, path: files.imagesPath, sample: sample, column: "column \(column + 1)")
  }
}

/// The fault of a binary file with a NaN or an infinity in a sample, counted from 0.
func notFinite(_ value: Float, path: String, sample: Int, column: String) -> Fault {
  Fault(index: sample + 1) {
    "\(path), sample \($0), \(column): \(value) is not a finite number. Correct the file, or remove the sample."
  }
}
