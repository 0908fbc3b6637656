import MPI

/// What the head of a file tells, without reading its samples.
public struct Preview: Sendable, Equatable {
  /// The name of the file's format.
  public let format: String
  /// N; `nil` where only a full read tells, as for a gzipped text.
  public let samples: Int?
  /// Whether `samples` is estimated from the length of the first lines, as for plain text.
  public let isEstimate: Bool
  /// d names.
  public let featureNames: [String]
  /// Whether there are labels.
  public let hasLabels: Bool
  /// What the file itself calls its columns.
  public let columns: ColumnNames
  /// The length of the file in bytes.
  public let fileSize: Int

  /// d.
  public var features: Int { featureNames.count }
}

/// Looks at the head of a data set's file. Collective; every rank gets the same.
///
/// - Throws: a shared `Failure` where the file can't be opened, or its head is damaged or does not fit the source.
public func preview(_ source: Source, over ranks: borrowing Communicator) throws -> Preview {
  let file = try FileHead(source.path, over: ranks)
  let format = source.options.format(of: file)
  let outline = try format.outline(source, file, over: ranks)
  return Preview(
    format: type(of: format).name, samples: outline.samples, isEstimate: outline.isEstimate,
    featureNames: outline.featureNames, hasLabels: outline.hasLabels,
    columns: outline.columns, fileSize: file.size)
}
