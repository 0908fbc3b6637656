import Basics
import HDF5
import MPI

/// Makes samples of the rows of HDF5 arrays.
struct HDF5Reader {
  let path: String
  let header: HDF5Header
  let format: HDF5Format
  private(set) var intake: Intake

  /// The labels of some rows.
  private enum Labels {
    case numbers([Double])
    case whole([Int])
    case unsigned([UInt64])
    case texts([String])
    case none
  }

  /// This rank's rows. Collective.
  mutating func read(
    over ranks: borrowing Communicator, progress: (Double) -> Void
  ) throws -> [Parcel] {
    guard header.labels != .string || intake.task == .classification else {
      throw Failure(
        .badData,
        "\(path): dataset '\(format.labelsDataset)' holds text, and a regression needs numbers. "
          + "Set task = \"classification\", or another dataset.", isShared: true)
    }
    // Only names numbered without gaps are an order of classes.
    if let names = header.classNames {
      let ordered = (0..<names.count).compactMap { names[$0] }
      if ordered.count == names.count {
        try intake.expect(ordered, "\(path): dataset '\(HDF5Names.classes)'")
      }
    }
    let pieces = rowPieces(of: header.samples, length: header.featureNames.count, over: ranks)
    let rank = ranks.rank
    var parcels: [Parcel] = []
    let fault = try ranks.fault {
      guard !pieces.isEmpty else { return }
      let file = try HDF5File(reading: path)
      let features = try file.array(format.featuresDataset, isComplete: true)
      // Not read where no labels are wanted.
      let labels = try file.array(
        header.labels == nil ? format.featuresDataset : format.labelsDataset, isComplete: true)
      for (index, rows) in pieces.enumerated() {
        var values = [Float](repeating: 0, count: rows.count * header.featureNames.count)
        try values.withUnsafeMutableBufferPointer { try features.read(rows, into: $0) }
        let own = try self.labels(of: rows, in: labels)
        parcels.append(try parcel(values, own, rows, order: Parcel.order(rank: rank, index: index)))
        progress(Double(index + 1) / Double(pieces.count))
      }
      try file.close()
    }
    try ranks.agree(onEarliest: fault)
    return parcels
  }

  private func labels(of rows: Range<Int>, in array: borrowing StoredArray) throws -> Labels {
    switch header.labels {
    case nil: .none
    case .string: .texts(try array.strings(rows))
    case .unsigned64: .unsigned(try array.values(rows))
    case .integer, .enumeration: .whole(try array.values(rows))
    default: .numbers(try array.values(rows))
    }
  }

  /// Local; throws `Fault`.
  private mutating func parcel(
    _ values: consuming [Float], _ labels: Labels, _ rows: Range<Int>, order: Int
  ) throws -> Parcel {
    let (names, classNames) = (header.featureNames, header.classNames)
    let place = Intake.Place(path: path, labelsPath: path) { "column \($0 + 1) (\(names[$0]))" }
    let isRegression = intake.task == .regression
    return try intake.parcel(
      order: order, rows: rows, features: values, at: place
    ) { i throws(LabelTable.Refusal) in
      switch labels {
      case .none: .none
      case .texts(let texts): .text(texts[i])
      case .numbers(let numbers): .number(numbers[i])
      case .unsigned(let numbers): Self.label(numbers[i], isRegression)
      case .whole(let numbers):
        if let classNames, !isRegression {
          .text(try Self.name(of: numbers[i], among: classNames))
        } else {
          Self.label(numbers[i], isRegression)
        }
      }
    }
  }

  /// A whole number as a label: as a text where a `Double` could not tell it from its neighbours.
  private static func label(_ number: some BinaryInteger, _ isRegression: Bool) -> Intake.RowLabel {
    isRegression || number.magnitude < 1 << 53 ? .number(Double(number)) : .text("\(number)")
  }

  /// The class that a number stands for.
  private static func name(
    of number: Int, among names: [Int: String]
  ) throws(LabelTable.Refusal) -> String {
    guard let name = names[number] else {
      throw LabelTable.Refusal(
        message: "the label \(number) has no name among the \(names.count) of the file. Correct the file.")
    }
    return name
  }
}
