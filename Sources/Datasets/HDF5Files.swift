import Basics
import HDF5
import MPI
import Settings
import Sums

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
  init(_ file: borrowing HDF5File, _ source: Source, over ranks: borrowing Communicator) throws {
    let features = try file.array(source.featuresDataset)
    let place = "\(source.path): dataset '\(source.featuresDataset)'"
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
    featureNames = stored?.count == d ? stored ?? [] : (0..<d).map { "x\($0 + 1)" }

    guard source.labelColumn != .none else {
      labels = nil
      classNames = nil
      return
    }
    let array = try file.array(source.labelsDataset)
    guard array.rowCount == samples && array.rowLength == 1 && !array.shape.isEmpty else {
      throw Failure(
        .badData,
        "\(source.path): dataset '\(source.labelsDataset)' has the shape \(array.shape), and there are \(samples) "
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

/// Reads an HDF5 file: each rank its own rows by collective hyperslabs. Collective.
///
/// Text labels are read by each rank on its own: MPI-IO does not move text of variable length.
func readHDF5(
  _ source: Source, task: LearningTask, classes: [String]?, selection: LabelSelection,
  missing: Source.MissingValues, over ranks: borrowing Communicator, progress: (Double) -> Void
) throws -> ReadSamples {
  let file = try HDF5File(reading: source.path, over: ranks)
  let header = try HDF5Header(file, source, over: ranks)
  // The classes of the file, in its order, are what may occur.
  let allowed = classes ?? (selection == .all && task == .classification ? header.classNames : nil)
  var reader = HDF5Reader(
    header: header, source: source, task: task, missing: missing,
    table: LabelTable(selection: selection, classes: allowed, missing: missing))
  let parcels = try reader.read(file, over: ranks, progress: progress)
  try file.close()
  return ReadSamples(
    parcels: parcels, table: reader.table, featureNames: header.featureNames, hasLabels: header.labels != nil)
}

/// Makes samples of the rows of HDF5 arrays.
private struct HDF5Reader {
  /// The labels of some rows.
  private enum RowLabels {
    case numbers([Double])
    case texts([String])
    case none
  }

  let header: HDF5Header
  let source: Source
  let task: LearningTask
  let missing: Source.MissingValues
  var table: LabelTable

  /// This rank's rows. Collective.
  mutating func read(
    _ file: borrowing HDF5File, over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    let range = Partition(samples: header.samples, ranks: ranks.size).range(of: ranks.rank)
    let d = header.featureNames.count
    let features = try file.array(source.featuresDataset)
    let step = max(Parcel.limit / d, 1)
    let rounds = try ranks.max((range.count + step - 1) / step)
    var parcels: [Parcel] = []
    var fault: Fault? = nil
    for round in 0..<rounds {
      let first = min(range.lowerBound + round * step, range.upperBound)
      let rows = first..<min(first + step, range.upperBound)
      var parcel = Parcel(order: Parcel.order(rank: ranks.rank, index: round))
      parcel.features = [Float](repeating: 0, count: rows.count * d)
      try parcel.features.withUnsafeMutableBufferPointer { try features.read(rows, into: $0, over: ranks) }
      let labels = try readLabels(rows, file, over: ranks)
      guard fault == nil else { continue }
      do {
        try finish(&parcel, labels, first: first)
        parcels.append(parcel)
      } catch let found as Fault {
        fault = found
      }
      progress(Double(rows.upperBound - range.lowerBound) / Double(max(range.count, 1)))
    }
    try ranks.agree(onEarliest: fault)
    return parcels
  }

  private func readLabels(
    _ rows: Range<Int>, _ file: borrowing HDF5File, over ranks: borrowing Communicator
  ) throws -> RowLabels {
    switch header.labels {
    case nil: return .none
    case .string where task == .regression:
      throw Failure(
        .badData,
        "\(source.path): dataset '\(source.labelsDataset)' holds text, and a regression needs numbers. "
          + "Set task = \"classification\", or another dataset.", isShared: true)
    case .string:
      return try ranks.agree {
        let own = try HDF5File(reading: source.path)
        let texts = try own.array(source.labelsDataset).strings(rows)
        try own.close()
        return .texts(texts)
      }
    default:
      var numbers = [Double](repeating: 0, count: rows.count)
      let labels = try file.array(source.labelsDataset)
      try numbers.withUnsafeMutableBufferPointer { try labels.read(rows, into: $0, over: ranks) }
      return .numbers(numbers)
    }
  }

  /// Checks the features, adds the labels, and drops what the selection leaves out. Local; throws `Fault`.
  private mutating func finish(_ parcel: inout Parcel, _ labels: RowLabels, first: Int) throws {
    let d = header.featureNames.count
    let rows = parcel.features.count / d
    for i in 0..<rows {
      for j in 0..<d {
        let value = parcel.features[i * d + j]
        if !value.isFinite {
          guard missing == .keepNaN else {
            throw notFinite(
              value, path: source.path, sample: first + i,
              column: "column \(j + 1) (\(header.featureNames[j]))")
          }
          parcel.features[i * d + j] = .nan
        }
        parcel.features[parcel.count * d + j] = parcel.features[i * d + j]
      }
      if try append(labels, i, sample: first + i, to: &parcel) { parcel.count += 1 }
    }
    if parcel.count < rows { parcel.features = Array(parcel.features[..<(parcel.count * d)]) }
  }

  /// Returns false where the selection leaves the sample out.
  private mutating func append(
    _ labels: RowLabels, _ i: Int, sample: Int, to parcel: inout Parcel
  ) throws -> Bool {
    let path = source.path
    let code: Int32
    do throws(LabelTable.Refusal) {
      switch labels {
      case .none: return true
      case .texts(let texts): code = try table.code(texts[i])
      case .numbers(let numbers) where task == .regression:
        let target = Float(numbers[i])
        guard target.isFinite || missing == .keepNaN else {
          throw LabelTable.Refusal(message: "the label \(target) is not a finite number. Correct the file.")
        }
        parcel.targets.append(target)
        return true
      case .numbers(let numbers):
        if let names = header.classNames {
          guard let index = Int(exactly: numbers[i]), names.indices.contains(index) else {
            throw LabelTable.Refusal(
              message: "the label \(LabelTable.name(numbers[i])) has no name among the \(names.count) in "
                + "'\(HDF5Names.classes)'. Correct the file.")
          }
          code = try table.code(names[index])
        } else {
          code = try table.code(numbers[i])
        }
      }
    } catch {
      throw Fault(index: sample + 1) { "\(path), sample \($0): \(error.message)" }
    }
    if code != LabelTable.leftOut { parcel.codes.append(code) }
    return code != LabelTable.leftOut
  }
}
