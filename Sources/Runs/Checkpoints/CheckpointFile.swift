import Basics
import Files
import HDF5
import LinearAlgebra
import MPI
import Sums

/// A checkpoint that is read. Rank 0 reads what all ranks have alike and sends it to them; each rank reads the rows of
/// its own samples, on whatever number of ranks they were written.
package final class CheckpointFile: StateArchive {
  static let format = "admm-mpi checkpoint"
  /// Later releases read earlier versions.
  static let version = 1

  package let isReading = true
  let path: String
  private let opened: OpenFile
  private let range: Range<Int>
  package var prefix = ""
  private let lists: Lists

  /// Opens a checkpoint. Collective.
  ///
  /// - Parameter range: the global numbers of this rank's samples.
  /// - Throws: a shared `Failure` of status `badData` where it is damaged, none, or of a later version.
  package init(_ path: String, range: Range<Int>, over ranks: borrowing Communicator) throws {
    self.path = path
    self.range = range
    let seal = try SealedFile.verified(
      path, unsealed: "is damaged, or not a checkpoint of this program", over: ranks)
    let opened = try ranks.agree { try OpenFile(path, seal) }
    let isRoot = ranks.isRoot
    var lists = try ranks.agree { isRoot ? try Lists(opened.file) : Lists() }
    try lists.broadcast(over: ranks)
    (self.opened, self.lists) = (opened, lists)
  }

  package func list(_ name: String, _ x: inout [Int], count: Int?) throws {
    x = try checked(name, lists.whole[prefix + name], count)
  }

  package func list(_ name: String, _ x: inout [Double], count: Int?) throws {
    x = try checked(name, lists.numbers[prefix + name], count)
  }

  package func list(_ name: String, _ x: inout [Float], count: Int?) throws {
    x = try checked(name, lists.numbers[prefix + name], count).map { Float($0) }
  }

  package func callAsFunction(_ name: String, _ x: inout String) throws {
    x = String(
      decoding: try checked(name, lists.whole[prefix + name], nil).map { UInt8(truncatingIfNeeded: $0) },
      as: UTF8.self)
  }

  package func bySample(_ name: String, _ x: MutableTile<Float>) throws {
    let array = try opened.file.array(prefix + name)
    guard array.shape.count == 2, array.shape[1] == x.rows, array.shape[0] >= range.upperBound else {
      throw misfit(name, "has the shape \(array.shape)")
    }
    guard !range.isEmpty else { return }
    let count = (x.columns - 1) * x.stride + x.rows
    try array.read(
      range, into: UnsafeMutableBufferPointer(start: x.base, count: count), stride: x.stride)
  }

  private func checked<T>(_ name: String, _ x: [T]?, _ count: Int?) throws -> [T] {
    guard let x else { throw misfit(name, "is not there") }
    guard count == nil || count == x.count else { throw misfit(name, "has \(x.count) numbers") }
    return x
  }

  private func misfit(_ name: String, _ fault: String) -> Failure {
    Failure(.badData, "the checkpoint \(path) does not fit this run: its \(prefix)\(name) \(fault).")
  }
}

/// A file that can be passed on.
private final class OpenFile {
  let file: HDF5File

  init(_ path: String, _ seal: SealedFile) throws { file = try HDF5File(reading: path, sealedBy: seal) }
}

/// The arrays of a checkpoint that all ranks have alike, by name.
private struct Lists {
  var whole: [String: [Int]] = [:]
  var numbers: [String: [Double]] = [:]

  init() {}

  /// Reads them. Local.
  init(_ file: borrowing HDF5File) throws {
    guard try file.attribute("format") == CheckpointFile.format else {
      throw Failure(.badData, "\(file.path) is not a checkpoint of this program.")
    }
    let version = try file.attribute("format_version", as: Int.self) ?? 0
    guard (1...CheckpointFile.version).contains(version) else {
      throw Failure(
        .badData,
        "\(file.path) has format version \(version); this program reads versions up to "
          + "\(CheckpointFile.version). Go on with the program that wrote it.")
    }
    for name in try file.names() {
      let array = try file.array(name)
      guard array.shape.count == 1 else { continue }
      if array.elements == .float {
        numbers[name] = try array.values()
      } else {
        whole[name] = try array.values()
      }
    }
  }

  /// Gives every rank those of rank 0. Collective.
  mutating func broadcast(over ranks: borrowing Communicator) throws {
    whole = try Self.broadcast(whole, over: ranks)
    numbers = try Self.broadcast(numbers, over: ranks)
  }

  private static func broadcast<T: MPINumber>(
    _ lists: [String: [T]], over ranks: borrowing Communicator
  ) throws -> [String: [T]] {
    let names = try ranks.broadcast(lists.keys.sorted().joined(separator: "\n"))
    var result: [String: [T]] = [:]
    for name in names.split(separator: "\n").map(String.init) {
      var list = lists[name] ?? []
      try ranks.broadcast(&list)
      result[name] = list
    }
    return result
  }
}
