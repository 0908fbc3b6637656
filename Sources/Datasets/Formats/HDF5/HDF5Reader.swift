import Basics
import HDF5
import MPI

/// Makes samples of the rows of HDF5 arrays.
struct HDF5Reader {
  let path: String
  let header: HDF5Header
  let format: HDF5Format

  /// The labels of some rows.
  private enum Labels {
    case numbers([Double])
    case texts([String])
    case none
  }

  /// This rank's rows. Collective.
  func read(
    _ file: borrowing HDF5File, into intake: inout Intake, over ranks: borrowing Communicator,
    progress: (Double) -> Void
  ) throws -> [Parcel] {
    guard header.labels != .string || intake.task == .classification else {
      throw Failure(
        .badData,
        "\(path): dataset '\(format.labelsDataset)' holds text, and a regression needs numbers. "
          + "Set task = \"classification\", or another dataset.", isShared: true)
    }
    if let names = header.classNames {
      try intake.expect(names, "\(path): dataset '\(HDF5Names.classes)'")
    }
    let pieces = rowPieces(of: header.samples, length: header.featureNames.count, over: ranks)
    let features = try file.array(format.featuresDataset)
    var parcels: [Parcel] = []
    var fault: Fault? = nil
    for round in 0..<(try ranks.max(pieces.count)) {
      let rows = round < pieces.count ? pieces[round] : 0..<0
      var values = [Float](repeating: 0, count: rows.count * header.featureNames.count)
      try values.withUnsafeMutableBufferPointer { try features.read(rows, into: $0, over: ranks) }
      let labels = try readLabels(rows, file, over: ranks)
      guard fault == nil else { continue }
      do {
        let order = Parcel.order(rank: ranks.rank, index: round)
        parcels.append(try parcel(values, labels, rows, order: order, into: &intake))
      } catch let found as Fault {
        fault = found
      }
      progress(Double(min(round + 1, pieces.count)) / Double(max(pieces.count, 1)))
    }
    try ranks.agree(onEarliest: fault)
    return parcels
  }

  /// Text is read by each rank on its own: MPI-IO does not move text of variable length.
  private func readLabels(
    _ rows: Range<Int>, _ file: borrowing HDF5File, over ranks: borrowing Communicator
  ) throws -> Labels {
    switch header.labels {
    case nil: return .none
    case .string:
      return try ranks.agree {
        let own = try HDF5File(reading: path)
        let texts = try own.array(format.labelsDataset).strings(rows)
        try own.close()
        return .texts(texts)
      }
    default:
      var numbers = [Double](repeating: 0, count: rows.count)
      let labels = try file.array(format.labelsDataset)
      try numbers.withUnsafeMutableBufferPointer { try labels.read(rows, into: $0, over: ranks) }
      return .numbers(numbers)
    }
  }

  /// Local; throws `Fault`.
  private func parcel(
    _ values: consuming [Float], _ labels: Labels, _ rows: Range<Int>, order: Int, into intake: inout Intake
  ) throws -> Parcel {
    let names = header.featureNames
    let place = Intake.Place(path: path, labelsPath: path) { "column \($0 + 1) (\(names[$0]))" }
    let isRegression = intake.task == .regression
    return try intake.parcel(
      order: order, rows: rows, features: values, at: place
    ) { i throws(LabelTable.Refusal) in
      switch labels {
      case .none: .none
      case .texts(let texts): .text(texts[i])
      case .numbers(let numbers):
        if let names = header.classNames, !isRegression {
          .text(try name(of: numbers[i], among: names))
        } else {
          .number(numbers[i])
        }
      }
    }
  }

  /// The class that a number stands for.
  private func name(of number: Double, among names: [String]) throws(LabelTable.Refusal) -> String {
    guard let index = Int(exactly: number), names.indices.contains(index) else {
      throw LabelTable.Refusal(
        message: "the label \(LabelNames.name(number)) has no name among the \(names.count) in "
          + "'\(HDF5Names.classes)'. Correct the file.")
    }
    return names[index]
  }
}
