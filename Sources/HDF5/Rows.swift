import Basics
import CHDF5

/// Which rows of an array move, and where they lie in memory.
///
/// HDF5 is slow at rows that lie apart in memory, many times so over MPI-IO. Such rows go through a packed copy,
/// piece by piece.
struct Rows: ~Copyable {
  private let rows: Range<Int>
  private let rowLength: Int
  private let stride: Int
  private let elementBytes: Int
  private let rowsPerPiece: Int
  /// Room for the packed copy of a piece; for a few bytes where none is needed: HDF5 wants an address even for no
  /// rows.
  private let packed: UnsafeMutableRawPointer

  /// - Parameter capacity: how many elements the memory has.
  /// - Throws: a `Failure` where a row is too long.
  init<T: Number>(
    _ array: borrowing StoredArray, _ rows: Range<Int>, _: T.Type, stride: Int?, capacity: Int
  ) throws(Failure) {
    // Rows go in pieces, but a row is whole.
    guard array.rowLength <= Int(Int32.max) / MemoryLayout<T>.stride else {
      throw Failure(
        .badData,
        "\(array.place) has rows of \(array.rowLength) elements, which is 2 GiB or more and too long.",
        isShared: array.isShared)
    }
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
    elementBytes = MemoryLayout<T>.stride
    rowsPerPiece = max(array.pieceBytes / max(rowLength * elementBytes, 1), 1)
    let packedBytes = stride == rowLength ? 0 : min(rowsPerPiece, rows.count) * rowLength * elementBytes
    packed = .allocate(byteCount: max(packedBytes, 16), alignment: 16)
  }

  deinit { packed.deallocate() }

  /// How many pieces it takes to move all rows.
  var pieces: Int { rowLength == 0 ? 0 : (rows.count + rowsPerPiece - 1) / rowsPerPiece }

  /// Whether rows lie next to each other in memory.
  var isPacked: Bool { stride == rowLength }

  /// The rows of a piece, counted from the first of all; empty from the last row on.
  private func local(_ piece: Int) -> Range<Int> {
    min(piece * rowsPerPiece, rows.count)..<min((piece + 1) * rowsPerPiece, rows.count)
  }

  /// The rows of a piece in the file.
  func stored(_ piece: Int) -> Range<Int> {
    local(piece).lowerBound + rows.lowerBound..<local(piece).upperBound + rows.lowerBound
  }

  /// Where HDF5 finds, or puts, a piece: in `buffer`, or in its packed copy.
  func memory(_ piece: Int, in buffer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
    guard isPacked, let buffer else { return packed }
    return buffer + local(piece).lowerBound * rowLength * elementBytes
  }

  /// Copies a packed piece to where its rows belong.
  func spread(_ piece: Int, into buffer: UnsafeMutableRawPointer?) {
    guard let buffer else { return }
    for (k, row) in local(piece).enumerated() {
      (buffer + row * stride * elementBytes).copyMemory(
        from: packed + k * rowLength * elementBytes, byteCount: rowLength * elementBytes)
    }
  }

  /// Makes the packed copy of a piece.
  func gather(_ piece: Int, from buffer: UnsafeMutableRawPointer?) {
    guard let buffer else { return }
    for (k, row) in local(piece).enumerated() {
      (packed + k * rowLength * elementBytes).copyMemory(
        from: buffer + row * stride * elementBytes, byteCount: rowLength * elementBytes)
    }
  }
}

/// What moves in one call: some rows of the file, and as many packed in memory.
struct Selection: ~Copyable {
  let memory: Handle
  let file: Handle

  init(of piece: Int, _ rows: borrowing Rows, in shape: [Int]) throws(HDF5Error) {
    let stored = rows.stored(piece)
    let others = Array(shape.dropFirst())
    let memory = try dataspace([max(stored.count, 1) * others.reduce(1, *)])
    let file = try dataspace(shape)
    if stored.isEmpty {
      try check(H5Sselect_none(memory.id), "H5Sselect_none")
      try check(H5Sselect_none(file.id), "H5Sselect_none")
    } else if !shape.isEmpty {
      try select(file, from: [stored.lowerBound] + others.map { _ in 0 }, [stored.count] + others)
    }
    self.memory = memory
    self.file = file
  }
}

/// Selects a block of a dataspace: `count` elements in each dimension from `start` on.
func select(_ space: borrowing Handle, from start: [Int], _ count: [Int]) throws(HDF5Error) {
  try check(
    H5Sselect_hyperslab(
      space.id, H5S_SELECT_SET, start.map { hsize_t($0) }, nil, count.map { hsize_t($0) }, nil),
    "H5Sselect_hyperslab")
}
