import HDF5
import MPI

extension HDF5Format {
  /// The features that lose much in single precision. Rank 0 looks at some blocks of rows. Collective.
  func mergedColumns(
    _ path: String, _ header: HDF5Header, over ranks: borrowing Communicator
  ) throws -> [MergedColumn] {
    let names = header.featureNames
    var values = MergedValues(width: names.count)
    guard values.rowsWanted > 0 else { return [] }
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot else { return }
      let file = try HDF5File(reading: path)
      let features = try file.array(featuresDataset, isComplete: true)
      let blocks = min(8, values.rowsWanted, header.samples)
      let length = values.rowsWanted / blocks
      for block in 0..<blocks {
        let first = header.samples * block / blocks
        let rows = first..<min(first + length, header.samples)
        switch features.elements {
        case .integer, .enumeration:
          try values.add(features, rows) { (number: Int) in (Float(number), UInt64(bitPattern: Int64(number)))
          }
        case .unsigned64: try values.add(features, rows) { (number: UInt64) in (Float(number), number) }
        default:
          try values.add(features, rows) { (number: Double) in (Float(number), (number + 0).bitPattern) }
        }
      }
      try file.close()
    }
    return try values.columns(over: ranks) { "column \($0 + 1) (\(names[$0]))" }
  }
}

extension MergedValues {
  /// Looks at some rows of an array. Local.
  fileprivate mutating func add<T: Number>(
    _ array: borrowing StoredArray, _ rows: Range<Int>, _ value: (T) -> (stored: Float, exact: UInt64)
  ) throws {
    var numbers = [T](repeating: .zero, count: rows.count * array.rowLength)
    try numbers.withUnsafeMutableBufferPointer { try array.read(rows, into: $0) }
    for i in 0..<rows.count {
      add { j in
        let found = value(numbers[i * array.rowLength + j])
        return found.stored.isNaN ? nil : found
      }
    }
  }
}
