import Basics
import MPI
import Sums

/// Takes over what readers find in a file, by the same rules for every format: which labels there may be, which
/// samples are left out, what becomes of values that are missing. Local: it holds what one rank has met.
package struct Intake {
  let task: LearningTask
  let missing: Source.MissingValues
  /// Whether any class may occur.
  private let isOpen: Bool
  /// Whether labels are skipped.
  private let ignoresLabels: Bool
  private var table: LabelTable

  /// The parameters are those of `readDataset`.
  ///
  /// - Throws: a shared `Failure` where a class is listed twice.
  init(
    task: LearningTask, classes: [String]?, selection: LabelSelection, missing: Source.MissingValues
  ) throws {
    self.task = task
    self.missing = missing
    ignoresLabels = selection == .ignored
    isOpen = classes == nil && selection == .all && task == .classification
    table = try LabelTable(
      selection: selection, classes: classes, place: "the model or the training set", missing: missing)
  }

  /// Takes the classes that the file itself lists, in its order, for all that may occur, unless the caller has
  /// chosen.
  ///
  /// - Parameter place: where they are listed, for messages.
  /// - Throws: a shared `Failure` where a class is listed twice.
  mutating func expect(_ names: [String], _ place: String) throws {
    let listed = try LabelTable(selection: .all, classes: names, place: place, missing: missing)
    if isOpen { table = listed }
  }

  // MARK: A sample

  /// Adds the class of the next sample to a parcel. Returns false where the selection leaves the sample out.
  mutating func take(_ label: String, into parcel: inout Parcel) throws(LabelTable.Refusal) -> Bool {
    try add(ignoresLabels ? 0 : table.code(label), to: &parcel)
  }

  /// Adds the label of the next sample, a class or a target. Returns false where the selection leaves the sample
  /// out.
  mutating func take(_ label: Double, into parcel: inout Parcel) throws(LabelTable.Refusal) -> Bool {
    guard task == .regression else {
      return try add(ignoresLabels ? 0 : table.code(label), to: &parcel)
    }
    let target = Float(label)
    guard let value = accepted(target) else {
      let reason = label.isFinite ? "too large for single precision" : "not a finite number"
      throw LabelTable.Refusal(message: "the label \(label) is \(reason). Correct the file.")
    }
    parcel.targets.append(value)
    return true
  }

  /// Adds the class of the next sample by a code that an equal label has been given before.
  @inline(__always)
  func take(code: Int32, into parcel: inout Parcel) -> Bool { add(code, to: &parcel) }

  private func add(_ code: Int32, to parcel: inout Parcel) -> Bool {
    if code == LabelTable.leftOut { return false }
    parcel.codes.append(code)
    return true
  }

  /// A number as it is stored: NaN for one that is not finite, `nil` where that is refused.
  @inline(__always)
  func accepted(_ value: Float) -> Float? {
    value.isFinite ? value : missing == .keepNaN ? .nan : nil
  }

  // MARK: Rows of a binary file

  /// The label of a row.
  enum RowLabel {
    case text(String)
    case number(Double)
    /// The file has no labels, or they are not wanted.
    case none
  }

  /// Where rows and their labels stand, for messages.
  struct Place {
    let path: String
    let labelsPath: String
    /// What column j, from 0, is called.
    let column: @Sendable (Int) -> String
  }

  /// Makes a parcel of consecutive rows, of which it takes over the numbers.
  ///
  /// - Parameters:
  ///   - order: the parcel's place in the file.
  ///   - rows: which samples of the file they are.
  ///   - features: `rows.count` × d numbers, a sample after the other.
  ///   - label: the label of the i-th of these rows.
  /// - Throws: `Fault` at the first sample that is wrong, counted from 1.
  mutating func parcel(
    order: Int, rows: Range<Int>, features: consuming [Float], at place: Place,
    label: (Int) throws(LabelTable.Refusal) -> RowLabel
  ) throws -> Parcel {
    var parcel = Parcel(order: order)
    let d = rows.isEmpty ? 0 : features.count / rows.count
    for i in 0..<rows.count {
      do throws(LabelTable.Refusal) {
        switch try label(i) {
        case .text(let text): guard try take(text, into: &parcel) else { continue }
        case .number(let number): guard try take(number, into: &parcel) else { continue }
        case .none: break
        }
      } catch {
        throw Fault(index: rows.lowerBound + i + 1) { "\(place.labelsPath), sample \($0): \(error.message)" }
      }
      if let j = move(row: i, to: parcel.count, of: &features, d) {
        let value = features[i * d + j]
        throw Fault(index: rows.lowerBound + i + 1) {
          "\(place.path), sample \($0), \(place.column(j)): \(value) is not a finite number. "
            + "Correct the file, or remove the sample."
        }
      }
      parcel.count += 1
    }
    parcel.features =
      parcel.count == rows.count ? features : Array(features[..<(parcel.count * d)])
    return parcel
  }

  /// Moves a row to an earlier place. Returns the column of a number that is refused.
  private func move(row: Int, to place: Int, of features: inout [Float], _ d: Int) -> Int? {
    features.withUnsafeMutableBufferPointer { features in
      for j in 0..<d {
        guard let value = accepted(features[row * d + j]) else { return j }
        features[place * d + j] = value
      }
      return nil
    }
  }

  // MARK: All samples

  /// What the labels of all parcels are, with codes that mean the same on every rank. Collective.
  ///
  /// - Throws: a shared `Failure` where the labels are no classes, or one that is selected does not occur.
  func settle(
    _ parcels: inout [Parcel], path: String, _ source: LabelSource?, over ranks: borrowing Communicator
  ) throws -> Parcel.LabelKind {
    guard task == .classification else { return .targets }
    let (names, codes) = try table.resolve(path: path, source, over: ranks)
    for p in parcels.indices {
      for i in parcels[p].codes.indices { parcels[p].codes[i] = codes[Int(parcels[p].codes[i])] }
    }
    return .classes(names)
  }
}

/// The rows that each rank reads of a file that can be entered anywhere: its share, about a parcel at a time.
func rowPieces(of samples: Int, length d: Int, over ranks: borrowing Communicator) -> [Range<Int>] {
  let range = Partition(samples: samples, ranks: ranks.size).range(of: ranks.rank)
  let step = max(Parcel.limit / d, 1)
  return stride(from: range.lowerBound, to: range.upperBound, by: step).map {
    $0..<min($0 + step, range.upperBound)
  }
}
