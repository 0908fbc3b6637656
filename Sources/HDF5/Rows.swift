import CHDF5

/// Which rows of an array move, and where they lie in memory.
struct Rows: ~Copyable {
  private let rows: Range<Int>
  private let shape: [Int]
  private let rowLength: Int
  private let stride: Int
  private let rowsPerPiece: Int

  /// - Parameter capacity: how many elements the memory has.
  init<T: Number>(
    _ array: borrowing StoredArray, _ rows: Range<Int>, _: T.Type, stride: Int?, capacity: Int
  ) {
    rowLength = array.rowLength
    let stride = stride ?? rowLength
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= array.rowCount, "rows \(rows) of \(array.rowCount)")
    precondition(stride >= rowLength, "rows of \(rowLength) elements at a distance of \(stride)")
    precondition(
      rows.isEmpty || capacity >= (rows.count - 1) * stride + rowLength,
      "\(rows.count) rows at a distance of \(stride) don't fit into \(capacity) elements")
    self.rows = rows
    self.stride = stride
    shape = array.shape
    let rowBytes = max(stride * MemoryLayout<T>.stride, rowLength * H5Tget_size(array.type.id), 1)
    rowsPerPiece = max(array.pieceBytes / rowBytes, 1)
  }

  /// How many pieces it takes to move all rows.
  var pieces: Int { rowLength == 0 ? 0 : (rows.count + rowsPerPiece - 1) / rowsPerPiece }

  /// Calls `move` for each piece with the selection in memory, that in the file, the transfer list and the first element in
  /// memory; from the last row on with empty selections, until `pieces` calls are made.
  func transfer(
    pieces: Int, over list: hid_t,
    _ move: (_ memory: hid_t, _ file: hid_t, _ list: hid_t, _ start: Int) -> herr_t
  ) throws(HDF5Error) {
    let file = try dataspace(shape)
    for piece in 0..<pieces {
      let first = min(rows.lowerBound + piece * rowsPerPiece, rows.upperBound)
      let count = min(rowsPerPiece, rows.upperBound - first)
      let memory = try dataspace([max(count, 1), stride])
      if count == 0 {
        try check(H5Sselect_none(file.id), "H5Sselect_none")
        try check(H5Sselect_none(memory.id), "H5Sselect_none")
      } else if !shape.isEmpty {
        try select(file, from: [first] + shape.dropFirst().map { _ in 0 }, [count] + shape.dropFirst())
        try select(memory, from: [0, 0], [count, rowLength])
      }
      try check(move(memory.id, file.id, list, (first - rows.lowerBound) * stride), "the transfer of rows")
    }
  }
}

/// Selects a block of a dataspace: `count` elements in each dimension from `start` on.
func select(_ space: borrowing Handle, from start: [Int], _ count: [Int]) throws(HDF5Error) {
  try check(
    H5Sselect_hyperslab(
      space.id, H5S_SELECT_SET, start.map { hsize_t($0) }, nil, count.map { hsize_t($0) }, nil),
    "H5Sselect_hyperslab")
}
