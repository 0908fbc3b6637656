import Files
import HDF5
import LinearAlgebra
import MPI
import Sums

/// Gathers what a checkpoint holds, and writes it: one HDF5 file, of which rank 0 writes what all ranks have alike and
/// each rank the rows of its own samples.
///
/// Every value that is named becomes an array of that name, `method.sums.grids` for instance. What is of the samples'
/// size is [N, d] in single precision; all else has one dimension, texts as their UTF-8 bytes.
package final class CheckpointWriter: StateArchive {
  package let isReading = false
  package var prefix = ""
  private var entries: [Entry] = []

  /// An array of the file.
  private struct Entry {
    /// How long its numbers are together, for N samples.
    let bytes: (_ samples: Int) -> Int
    /// Creates it, for N samples. For rank 0.
    let reserve: (_ file: borrowing HDF5File, _ samples: Int) throws -> ReservedRows
    /// Writes this rank's part of it.
    let write: (_ rows: ReservedRows, _ file: OutputFile, _ range: Range<Int>, _ isRoot: Bool) throws -> Void
  }

  package init() {}

  package func list(_ name: String, _ x: inout [Int], count: Int?) { add(name, x) }
  package func list(_ name: String, _ x: inout [Double], count: Int?) { add(name, x) }
  package func list(_ name: String, _ x: inout [Float], count: Int?) { add(name, x) }
  package func callAsFunction(_ name: String, _ x: inout String) { add(name, Array(x.utf8)) }

  private func add<T: Number>(_ name: String, _ x: [T]) {
    let name = prefix + name
    entries.append(
      Entry { _ in
        x.count * MemoryLayout<T>.size
      } reserve: { file, _ in
        try file.reserve(name, of: T.self, shape: [x.count])
      } write: { rows, file, _, isRoot in
        guard isRoot else { return }
        try x.withUnsafeBufferPointer { try rows.write(0..<x.count, from: $0, to: file) }
      })
  }

  /// - Parameter x: valid until the file is written.
  package func bySample(_ name: String, _ x: MutableTile<Float>) {
    let name = prefix + name
    entries.append(
      Entry { samples in
        samples * x.rows * MemoryLayout<Float>.size
      } reserve: { file, samples in
        try file.reserve(name, of: Float.self, shape: [samples, x.rows])
      } write: { rows, file, range, _ in
        let count = range.isEmpty ? 0 : (x.columns - 1) * x.stride + x.rows
        let numbers = UnsafeBufferPointer(start: UnsafePointer(x.base), count: count)
        try rows.write(range, from: numbers, stride: x.stride, to: file)
      })
  }

  /// Writes the file, whole or not at all. Collective.
  ///
  /// - Parameters:
  ///   - samples: N.
  ///   - range: the global numbers of this rank's samples.
  /// - Throws: a shared `Failure` of status `inputOutput`; what was there stays.
  package func write(
    to output: PendingFile, samples: Int, range: Range<Int>, over ranks: borrowing Communicator
  ) throws {
    let bytes = entries.reduce(0) { $0 + $1.bytes(samples) }
    let isRoot = ranks.isRoot
    try output.writeSealedHDF5(bytes: bytes, arrays: entries.count, over: ranks) { outline in
      try outline.setAttribute("format", CheckpointFile.format)
      try outline.setAttribute("format_version", CheckpointFile.version)
      var reserved: [ReservedRows] = []
      for entry in entries { reserved.append(try entry.reserve(outline, samples)) }
      return reserved
    } fill: { reserved, file in
      for (entry, rows) in zip(entries, reserved) { try entry.write(rows, file, range, isRoot) }
    }
  }
}
