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

  package static func isLikely(_ head: [UInt8]) -> Bool { hasHDF5Signature(head) }

  package func outline(
    _ source: Source, _ head: FileHead, over ranks: borrowing Communicator
  ) throws -> Outline {
    let header = try header(source, head, over: ranks)
    return Outline(
      samples: header.samples, featureNames: header.featureNames, hasLabels: header.labels != nil,
      columns: header.columns)
  }

  /// Each rank opens the file for itself and reads its own rows. A rank that finds the file damaged then leaves no
  /// other waiting inside of HDF5.
  package func read(
    _ source: Source, _ head: FileHead, into intake: inout Intake, over ranks: borrowing Communicator,
    progress: (Double) -> Void
  ) throws -> ReadSamples {
    let header = try header(source, head, over: ranks)
    var reader = HDF5Reader(path: head.path, header: header, format: self, intake: intake)
    let parcels = try reader.read(over: ranks, progress: progress)
    intake = reader.intake
    return ReadSamples(
      parcels: parcels, featureNames: header.featureNames, hasLabels: header.labels != nil,
      columns: header.columns, merged: try mergedColumns(head.path, header, over: ranks))
  }

  /// Rank 0 looks at a file before the others do: what is wrong with it is then found once. Collective.
  private func header(
    _ source: Source, _ head: FileHead, over ranks: borrowing Communicator
  ) throws -> HDF5Header {
    if head.isCompressed {
      throw Failure(
        .badData, "\(head.path): a gzipped HDF5 file can't be read in parts. Unpack it first.",
        isShared: true)
    }
    let isRoot = ranks.isRoot
    func look() throws -> HDF5Header {
      guard try isHDF5File(head.path) else {
        throw Failure(
          .badData,
          "\(head.path) is not an HDF5 file. Copy or download it again, or set the format that it has.")
      }
      let file = try HDF5File(reading: head.path)
      let header = try HDF5Header(
        file, self, hasLabels: source.options.hasLabels, isComplete: !isRoot)
      try file.close()
      return header
    }
    let first = try ranks.agree { try isRoot ? look() : nil }
    return try ranks.agree { try first ?? look() }
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
  /// What the file itself calls its columns.
  let columns: ColumnNames
  /// What the labels are stored as; `nil` where none are wanted.
  let labels: ElementClass?
  /// The classes that the labels number; `nil` where the labels are the classes themselves.
  let classNames: [Int: String]?

  /// Local.
  ///
  /// - Parameter isComplete: whether another rank has found all elements in the file.
  /// - Throws: a `Failure` where the arrays are not there or their shapes don't fit.
  init(_ file: borrowing HDF5File, _ format: HDF5Format, hasLabels: Bool, isComplete: Bool) throws {
    let features = try file.array(format.featuresDataset, isComplete: isComplete)
    let place = "\(file.path): dataset '\(format.featuresDataset)'"
    guard features.shape.count >= 2 else {
      throw Failure(
        .badData,
        "\(place) has the shape \(features.shape). Features need two dimensions: samples, features.")
    }
    guard features.count > 0 else {
      throw Failure(.badData, "\(place) holds no samples: its shape is \(features.shape).")
    }
    guard features.elements.isNumeric else { throw features.refusal(wanted: "numbers are needed") }
    guard features.rowLength <= featureLimit else {
      throw Failure(
        .badData,
        "\(place) has \(grouped(features.rowLength)) features, and \(grouped(featureLimit)) are the most that can be "
          + "read.")
    }
    samples = features.rowCount
    let d = features.rowLength
    let stored = try Self.texts(HDF5Names.features, in: file)
    columns = ColumnNames(features: stored.flatMap { $0.count == d ? $0 : nil })
    featureNames = columns.features ?? numberedNames(d)

    guard hasLabels else {
      labels = nil
      classNames = nil
      return
    }
    let array = try file.array(format.labelsDataset, isComplete: isComplete)
    guard array.rowCount == samples && array.rowLength == 1 && !array.shape.isEmpty else {
      // MATLAB's arrays, and those of other programs that put columns first.
      let isTransposed = features.shape.count == 2 && features.shape[1] == array.count
      throw Failure(
        .badData,
        "\(file.path): dataset '\(format.labelsDataset)' has the shape \(array.shape), and there are \(samples) "
          + "samples. One label a sample is needed."
          + (isTransposed
            ? " Is '\(format.featuresDataset)' transposed? It has samples in its second dimension." : ""))
    }
    guard array.elements.isNumeric || array.elements == .string else {
      throw array.refusal(wanted: "numbers or text are needed")
    }
    labels = array.elements
    classNames = try Self.classNames(array, in: file)
  }

  /// Of the names that this program writes, or those of an enumeration, if it is not that of truth values.
  private static func classNames(
    _ labels: borrowing StoredArray, in file: borrowing HDF5File
  ) throws -> [Int: String]? {
    switch labels.elements {
    case .integer:
      return try texts(HDF5Names.classes, in: file).map {
        Dictionary(uniqueKeysWithValues: $0.enumerated().map { ($0, $1) })
      }
    case .enumeration:
      let names = try labels.enumeration()
      return names == [0: "FALSE", 1: "TRUE"] ? nil : names
    default: return nil
    }
  }

  private static func texts(_ name: String, in file: borrowing HDF5File) throws -> [String]? {
    guard try file.contains(name) else { return nil }
    let array = try file.array(name)
    return array.elements == .string ? try array.strings() : nil
  }
}
