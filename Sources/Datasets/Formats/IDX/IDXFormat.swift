import MPI
import Settings

/// The MNIST family's binary files, plain or gzipped; the labels lie in a file of their own.
///
/// The values of a sample are its features, in the order of the file and as they are.
package struct IDXFormat: DataFormat {
  package static let name = "idx"
  package static let endings = [".idx", "-ubyte"] + (1...4).map { "-idx\($0)" }

  /// The training set's labels. `nil`: the name of the images' file with `labels-idx1` for `images-idx3`.
  package var trainLabels: String?
  /// The test set's labels.
  package var testLabels: String?

  package static let keys: [SettingKey<IDXFormat>] = [
    SettingKey(
      unset: "train_labels", .path, \.trainLabels,
      "IDX: the training set's labels. Unset: the name of the images with \"labels-idx1\" for \"images-idx3\"."
    ),
    SettingKey(unset: "test_labels", .path, \.testLabels, "IDX: the test set's labels."),
  ]

  package init() { self.init(trainLabels: nil) }

  package init(trainLabels: String? = nil, testLabels: String? = nil) {
    self.trainLabels = trainLabels
    self.testLabels = testLabels
  }

  package static func isLikely(_ head: [UInt8]) -> Bool { IDXHeader.isLikely(head) }

  package func outline(
    _ source: Source, _ file: FileHead, over ranks: borrowing Communicator
  ) throws -> Outline {
    let files = try files(source, file, over: ranks)
    return Outline(
      samples: files.images.samples, featureNames: numberedNames(files.images.valuesPerSample),
      hasLabels: files.labels != nil)
  }

  /// Plain files are read by offset, compressed ones through rank 0.
  package func read(
    _ source: Source, _ file: FileHead, into intake: inout Intake, over ranks: borrowing Communicator,
    progress: (Double) -> Void
  ) throws -> ReadSamples {
    let files = try files(source, file, over: ranks)
    var reader = IDXReader(files: files, intake: intake)
    let parcels =
      files.isStream
      ? try reader.readStream(over: ranks, progress: progress)
      : try reader.readOwnRows(over: ranks, progress: progress)
    intake = reader.intake
    return ReadSamples(
      parcels: parcels, featureNames: numberedNames(files.images.valuesPerSample),
      hasLabels: files.labels != nil, merged: try reader.mergedColumns(over: ranks))
  }

  private func files(
    _ source: Source, _ file: FileHead, over ranks: borrowing Communicator
  ) throws -> IDXFiles {
    try IDXFiles(
      file, hasLabels: source.options.hasLabels, labelsPath: source.isTest ? testLabels : trainLabels,
      over: ranks)
  }
}
