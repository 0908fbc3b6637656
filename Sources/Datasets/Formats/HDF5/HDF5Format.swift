import Basics
import HDF5
import MPI
import Settings

/// An HDF5 file with a dataset of N × d numbers and one of N labels.
package struct HDF5Format: DataFormat {
  package static let name = "hdf5"
  package static let endings = [".h5", ".hdf5", ".he5"]

  /// The name of the dataset of N × d features.
  package var featuresDataset: String
  /// The name of the dataset of N labels.
  package var labelsDataset: String

  package static let keys: [SettingKey<HDF5Format>] = [
    SettingKey(
      "features_dataset", .text("the name of a dataset"), \.featuresDataset,
      "HDF5: the dataset of shape [samples, features]."),
    SettingKey(
      "labels_dataset", .text("the name of a dataset"), \.labelsDataset,
      "HDF5: the dataset of shape [samples]."),
  ]

  package init() { self.init(featuresDataset: "features") }

  package init(featuresDataset: String = "features", labelsDataset: String = "labels") {
    self.featuresDataset = featuresDataset
    self.labelsDataset = labelsDataset
  }

  package static func isLikely(_ head: [UInt8]) -> Bool {
    head.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  package func outline(
    _ source: Source, _ head: FileHead, over ranks: borrowing Communicator
  ) throws -> Outline {
    let file = try opened(head, over: ranks)
    let header = try HDF5Header(file, self, hasLabels: source.options.hasLabels)
    try file.close()
    return Outline(
      samples: header.samples, featureNames: header.featureNames, hasLabels: header.labels != nil)
  }

  /// Each rank reads its own rows by collective hyperslabs.
  package func read(
    _ source: Source, _ head: FileHead, into intake: inout Intake, over ranks: borrowing Communicator,
    progress: (Double) -> Void
  ) throws -> ReadSamples {
    let file = try opened(head, over: ranks)
    let header = try HDF5Header(file, self, hasLabels: source.options.hasLabels)
    let reader = HDF5Reader(path: head.path, header: header, format: self)
    let parcels = try reader.read(file, into: &intake, over: ranks, progress: progress)
    try file.close()
    return ReadSamples(
      parcels: parcels, featureNames: header.featureNames, hasLabels: header.labels != nil,
      merged: try mergedColumns(head.path, header, over: ranks))
  }

  private func opened(_ head: FileHead, over ranks: borrowing Communicator) throws -> HDF5File {
    if head.isCompressed {
      throw Failure(
        .badData, "\(head.path): a gzipped HDF5 file can't be read in parts. Unpack it first.",
        isShared: true)
    }
    guard Self.isLikely(head.bytes) else {
      throw Failure(
        .badData,
        "\(head.path) is not an HDF5 file: its first bytes are others. Copy it again, or set the format.",
        isShared: true)
    }
    return try HDF5File(reading: head.path, over: ranks)
  }
}

/// The names, in a file that `writeHDF5` has made, of what belongs to features and labels.
enum HDF5Names {
  /// d texts.
  static let features = "feature_names"
  /// The names of the classes whose numbers the labels are.
  static let classes = "class_names"
}

/// What an HDF5 file says about itself before its samples are read.
struct HDF5Header {
  let samples: Int
  let featureNames: [String]
  /// What the labels are stored as; `nil` where none are wanted.
  let labels: ElementClass?
  /// The classes that the labels number; `nil` where the labels are the classes themselves.
  let classNames: [String]?

  /// Collective where the file is open on all ranks.
  ///
  /// - Throws: a `Failure` where the arrays are not there or their shapes don't fit.
  init(_ file: borrowing HDF5File, _ format: HDF5Format, hasLabels: Bool) throws {
    let features = try file.array(format.featuresDataset)
    let place = "\(file.path): dataset '\(format.featuresDataset)'"
    guard features.shape.count >= 2 else {
      throw Failure(
        .badData,
        "\(place) has the shape \(features.shape). Features need two dimensions: samples, features.",
        isShared: true)
    }
    guard features.count > 0 else {
      throw Failure(.badData, "\(place) holds no samples: its shape is \(features.shape).", isShared: true)
    }
    samples = features.rowCount
    let d = features.rowLength
    let stored = try Self.texts(HDF5Names.features, in: file)
    featureNames = stored.flatMap { $0.count == d ? $0 : nil } ?? numberedNames(d)

    guard hasLabels else {
      labels = nil
      classNames = nil
      return
    }
    let array = try file.array(format.labelsDataset)
    guard array.rowCount == samples && array.rowLength == 1 && !array.shape.isEmpty else {
      throw Failure(
        .badData,
        "\(file.path): dataset '\(format.labelsDataset)' has the shape \(array.shape), and there are \(samples) "
          + "samples. One label a sample is needed.", isShared: true)
    }
    labels = array.elements
    classNames = array.elements == .integer ? try Self.texts(HDF5Names.classes, in: file) : nil
  }

  private static func texts(_ name: String, in file: borrowing HDF5File) throws -> [String]? {
    guard try file.contains(name) else { return nil }
    let array = try file.array(name)
    return array.elements == .string ? try array.strings() : nil
  }
}
