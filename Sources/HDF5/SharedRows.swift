import Basics
import CHDF5
import Files
import MPI

// A file that all ranks write: rank 0 has HDF5 describe it, and each rank puts its own rows where they belong, by the
// operating system alone. HDF5 over MPI-IO crashes or hangs where a disk is full.

/// The numbers of an array that are still to be written: where they begin in the file.
public struct ReservedRows: Sendable {
  let offset: Int
  let rowCount: Int
  let rowBytes: Int

  /// Where they lie in the file.
  var place: Range<Int> { offset..<offset + rowCount * rowBytes }

  /// Writes rows `rows`. Local.
  ///
  /// - Parameters:
  ///   - buffer: as many rows of the numbers' own type, one every `stride` elements.
  ///   - stride: the length of a row by default.
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write<T: Number>(
    _ rows: Range<Int>, from buffer: UnsafeBufferPointer<T>, stride: Int? = nil, to file: OutputFile
  ) throws {
    let length = rowBytes / MemoryLayout<T>.stride
    let stride = stride ?? length
    precondition(
      rows.isEmpty || buffer.count >= (rows.count - 1) * stride + length,
      "\(rows.count) rows at a distance of \(stride) don't fit into \(buffer.count) elements")
    guard rowBytes > 0 && !rows.isEmpty else { return }
    let bytes = UnsafeRawBufferPointer(buffer)
    let first = offset + rows.lowerBound * rowBytes
    guard stride != length else {
      return try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<(rows.count * rowBytes)]), at: first)
    }
    let atOnce = max((1 << 22) / rowBytes, 1)
    let packed = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(atOnce, rows.count) * rowBytes, alignment: 64)
    defer { packed.deallocate() }
    for start in Swift.stride(from: 0, to: rows.count, by: atOnce) {
      let piece = start..<min(start + atOnce, rows.count)
      for (k, row) in piece.enumerated() {
        let from = row * stride * MemoryLayout<T>.stride
        UnsafeMutableRawBufferPointer(rebasing: packed[(k * rowBytes)..<((k + 1) * rowBytes)])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<(from + rowBytes)]))
      }
      let full = UnsafeRawBufferPointer(rebasing: packed[..<(piece.count * rowBytes)])
      try file.write(full, at: first + start * rowBytes)
    }
  }
}

extension PendingFile {
  /// Writes an HDF5 file, all ranks their own rows of its large arrays, and seals it. Collective.
  ///
  /// Each rank sums what it writes, so that nothing is read again; rank 0 puts the checksums together. Any number of
  /// ranks can read the file, each its own rows, and notices any byte that is not as it was written.
  ///
  /// - Parameters:
  ///   - bytes: how long the reserved rows are together.
  ///   - texts: those that `describe` writes.
  ///   - arrays: how many arrays there are; all else takes less than a few pages.
  ///   - describe: for rank 0; creates all arrays, and returns those that it has reserved.
  ///   - fill: local; writes this rank's rows of them. Together the ranks write all rows, each once.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package func writeSealedHDF5(
    bytes: Int, texts: [String] = [], arrays: Int = 8, over ranks: borrowing Communicator,
    describe: (borrowing HDF5File) throws -> [ReservedRows],
    fill: (_ reserved: [ReservedRows], _ file: OutputFile) throws -> Void
  ) throws {
    try writeTogether(over: ranks) { file in
      let (reserved, end) = try HDF5File.outline(file, bytes: bytes, texts: texts, arrays: arrays, over: ranks, describe)
      file.beginSeal(end: end)
      try ranks.agree { try fill(reserved, file) }
      let places = reserved.map(\.place).filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
      try file.endSeal(rows: places, end: end, over: ranks)
    }
  }
}

extension HDF5File {
  /// Makes of an empty file one of the arrays that `describe` creates. Collective.
  ///
  /// - Returns: the same on every rank; the end of the file, too.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  fileprivate static func outline(
    _ output: OutputFile, bytes: Int, texts: [String], arrays: Int, over ranks: borrowing Communicator,
    _ describe: (borrowing HDF5File) throws -> [ReservedRows]
  ) throws -> (reserved: [ReservedRows], end: Int) {
    let isRoot = ranks.isRoot
    var numbers = try ranks.agree { () -> [Int] in
      guard isRoot else { return [] }
      // HDF5 itself does not survive a disk that is full: it gets what can be written.
      let longest = texts.map(\.utf8.count).max() ?? 0
      let room = [UInt8](repeating: 0, count: 1 << 14 + 512 * arrays + texts.count * longest)
      try room.withUnsafeBytes { try output.write($0, at: 0) }
      try [UInt8(0)].withUnsafeBytes { try output.write($0, at: room.count + bytes) }
      let file = try HDF5File(replacing: output.path)
      do {
        let reserved = try describe(file)
        try file.close()
        return [try InputFile(output.path).size] + reserved.flatMap { [$0.offset, $0.rowCount, $0.rowBytes] }
      } catch let error as HDF5Error {
        hasUnwrittenFile = true
        throw Failure(.inputOutput, "\(output.name) can't be written: \(error).")
      }
    }
    try ranks.broadcast(&numbers)
    let reserved = stride(from: 1, to: numbers.count, by: 3).map {
      ReservedRows(offset: numbers[$0], rowCount: numbers[$0 + 1], rowBytes: numbers[$0 + 2])
    }
    return (reserved, numbers[0])
  }

  /// Creates an array of numbers in one piece, to be written row by row when the file is closed.
  package func reserve<T: Number>(_ name: String, of: T.Type, shape: [Int]) throws -> ReservedRows {
    let list = try creationList()
    try check(H5Pset_layout(list.id, H5D_CONTIGUOUS), "H5Pset_layout")
    try check(H5Pset_alloc_time(list.id, H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time")
    try check(H5Pset_fill_time(list.id, H5D_FILL_TIME_NEVER), "H5Pset_fill_time")
    let array = try StoredArray(creating: name, type: T.type, shape: shape, list, in: self)
    let offset = array.count > 0 ? Int(H5Dget_offset(array.handle.id)) : 0
    return ReservedRows(
      offset: offset, rowCount: array.rowCount, rowBytes: array.rowLength * MemoryLayout<T>.stride)
  }
}
