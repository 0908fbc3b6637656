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
  private var prefix = ""
  private var entries: [Entry] = []

  fileprivate struct Entry {
    let name: String
    let content: Content
  }

  fileprivate enum Content {
    case whole([Int])
    case double([Double])
    case single([Float])
    case bytes([UInt8])
    /// This rank's samples; valid while the state is.
    case samples(MutableTile<Float>)
  }

  package init() {}

  package func within(_ name: String, _ body: () throws -> Void) throws {
    let outer = prefix
    prefix += name + "."
    defer { prefix = outer }
    try body()
  }

  package func list(_ name: String, _ x: inout [Int], count: Int?) { add(name, .whole(x)) }
  package func list(_ name: String, _ x: inout [Double], count: Int?) { add(name, .double(x)) }
  package func list(_ name: String, _ x: inout [Float], count: Int?) { add(name, .single(x)) }
  package func callAsFunction(_ name: String, _ x: inout String) { add(name, .bytes(Array(x.utf8))) }
  package func bySample(_ name: String, _ x: MutableTile<Float>) { add(name, .samples(x)) }

  private func add(_ name: String, _ content: Content) {
    entries.append(Entry(name: prefix + name, content: content))
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
    let bytes = entries.reduce(0) { $0 + $1.bytes(samples: samples) }
    let isRoot = ranks.isRoot
    try output.writeSealedHDF5(bytes: bytes, arrays: entries.count, over: ranks) { outline in
      try outline.setAttribute("format", CheckpointFile.format)
      try outline.setAttribute("format_version", CheckpointFile.version)
      return try entries.map { try $0.reserve(in: outline, samples: samples) }
    } fill: { reserved, file in
      for (entry, rows) in zip(entries, reserved) {
        try entry.write(to: rows, of: file, range: range, isRoot: isRoot)
      }
    }
  }
}

extension CheckpointWriter.Entry {
  fileprivate func bytes(samples: Int) -> Int {
    switch content {
    case .whole(let x): 8 * x.count
    case .double(let x): 8 * x.count
    case .single(let x): 4 * x.count
    case .bytes(let x): x.count
    case .samples(let x): 4 * x.rows * samples
    }
  }

  fileprivate func reserve(in file: borrowing HDF5File, samples: Int) throws -> ReservedRows {
    switch content {
    case .whole(let x): try file.reserve(name, of: Int.self, shape: [x.count])
    case .double(let x): try file.reserve(name, of: Double.self, shape: [x.count])
    case .single(let x): try file.reserve(name, of: Float.self, shape: [x.count])
    case .bytes(let x): try file.reserve(name, of: UInt8.self, shape: [x.count])
    case .samples(let x): try file.reserve(name, of: Float.self, shape: [samples, x.rows])
    }
  }

  fileprivate func write(to rows: ReservedRows, of file: OutputFile, range: Range<Int>, isRoot: Bool) throws {
    func put<T: Number>(_ x: [T]) throws {
      guard isRoot else { return }
      try x.withUnsafeBufferPointer { try rows.write(0..<x.count, from: $0, to: file) }
    }
    switch content {
    case .whole(let x): try put(x)
    case .double(let x): try put(x)
    case .single(let x): try put(x)
    case .bytes(let x): try put(x)
    case .samples(let x):
      let count = range.isEmpty ? 0 : (x.columns - 1) * x.stride + x.rows
      let numbers = UnsafeBufferPointer(start: UnsafePointer(x.base), count: count)
      try rows.write(range, from: numbers, stride: x.stride, to: file)
    }
  }
}
