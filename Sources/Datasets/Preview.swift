import Files
import HDF5
import MPI

/// What the head of a file tells, without reading its samples.
public struct Preview: Sendable, Equatable {
  /// Never `auto`.
  public let format: Source.Format
  /// N; `nil` where only a full read tells, as for a gzipped text.
  public let samples: Int?
  /// Whether `samples` is estimated from the length of the first lines, as for plain text.
  public let isEstimate: Bool
  /// d names.
  public let featureNames: [String]
  /// Whether there are labels.
  public let hasLabels: Bool
  /// The length of the file in bytes.
  public let fileSize: Int

  /// d.
  public var features: Int { featureNames.count }
}

/// Looks at the head of a data set's file. Collective; every rank gets the same.
///
/// - Throws: a shared `Failure` where the file can't be opened, or its head is damaged or does not fit the source.
public func preview(_ source: Source, over ranks: borrowing Communicator) throws -> Preview {
  let inspection = try Inspection(source, over: ranks)
  switch inspection.format {
  case .csv, .auto:
    let layout = try ranks.agree { try CSVLayout(head: inspection.head, source: source) }
    return Preview(
      format: .csv, samples: inspection.isCompressed ? nil : estimate(inspection, layout),
      isEstimate: !inspection.isCompressed, featureNames: layout.featureNames,
      hasLabels: layout.label != nil, fileSize: inspection.fileSize)
  case .idx:
    let files = try IDXFiles(source, inspection, over: ranks)
    return Preview(
      format: .idx, samples: files.images.samples, isEstimate: false,
      featureNames: (0..<files.images.valuesPerSample).map { "x\($0 + 1)" },
      hasLabels: files.labels != nil, fileSize: inspection.fileSize)
  case .hdf5:
    let file = try HDF5File(reading: source.path, over: ranks)
    let header = try HDF5Header(file, source, over: ranks)
    try file.close()
    return Preview(
      format: .hdf5, samples: header.samples, isEstimate: false, featureNames: header.featureNames,
      hasLabels: header.labels != nil, fileSize: inspection.fileSize)
  }
}

/// The number of lines after the header, if all are as long as those in the head.
private func estimate(_ inspection: Inspection, _ layout: CSVLayout) -> Int {
  let text = inspection.head[layout.dataStart...]
  let whole = text.lastIndex(of: UInt8(ascii: "\n")).map { text[...$0] } ?? text
  let lines = whole.withUnsafeBufferPointer(countLines)
  let bytes = inspection.fileSize - layout.dataStart
  return whole.isEmpty
    ? (bytes > 0 ? 1 : 0) : Int((Double(bytes) * Double(lines) / Double(whole.count)).rounded())
}
