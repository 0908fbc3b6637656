import Basics
import Files
import Glibc
import HDF5
import LinearAlgebra
import MPI
import Reports

// The file system of --directory, as runs use it.

private let directoryAdvice =
  "Name a directory that all nodes share and may write in (--directory), and keep runs there (output.directory)."

/// Why a check of files has nothing to look at.
let noDirectory = Finding.skipped("there is no directory that all ranks can write in")

extension Check {
  /// Makes the directory that further checks work in: each rank writes a file of its own there, and reads its
  /// neighbour's.
  package static func directory() -> Check {
    Check(name: "directory", advice: directoryAdvice, isOfFiles: true) { site, ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      var made = ""
      if ranks.isRoot { site.hasMadeParent = mkdir(site.parent, 0o777) == 0 }
      var fault = ranks.isRoot ? faultOf { made = try madeDirectory(in: site.parent) } : nil
      let path = try ranks.broadcast(made)
      guard !path.isEmpty else { return Finding(fault, else: "") }
      fault = faultOf { try PendingFile("\(path)/rank-\(rank)").write(Array("of rank \(rank)".utf8)) }
      try ranks.barrier()
      let next = (rank + 1) % size
      fault =
        fault
        ?? faultOf {
          let found = String(decoding: try bytes(of: "\(path)/rank-\(next)"), as: UTF8.self)
          guard found == "of rank \(next)" else {
            throw Failure(
              .inputOutput,
              "\(path)/rank-\(next) holds \(quoted(found)), and not what rank \(next) has written.")
          }
        }
      let failed = try ranks.max(fault == nil ? 0 : 1)
      if failed == 0 { site.directory = path } else if ranks.isRoot { removeTree(path) }
      return Finding(
        fault,
        else: "\(site.parent) takes and gives files on \(counted(site.launch.machine.hosts.count, "host"))")
    }
  }

  /// Whether there is room for models and checkpoints.
  ///
  /// - Parameter needed: bytes.
  package static func room(needed: Int = 256 << 20) -> Check {
    let advice = "Make room, or name a directory on a larger file system (--directory)."
    return Check(name: "room", advice: advice, isOfFiles: true) { site, ranks in
      guard let directory = site.directory else { return noDirectory }
      let free = freeBytes(in: directory) ?? Int.max
      let least = try ranks.min(free)
      return Finding(
        free < needed ? "only \(bytes(free)) are free, and \(bytes(needed)) is little" : nil,
        else: least == .max ? "the file system does not tell" : "\(bytes(least)) free")
    }
  }

  /// One HDF5 file that all ranks write together, synced, sealed, renamed, read again by all; and once more over it.
  ///
  /// - Parameter spoil: what happens to the file before it is read.
  package static func sharedFile(_ spoil: @escaping @Sendable (_ path: String) throws -> Void = { _ in })
    -> Check
  {
    let advice =
      "What ranks write together must be read by all: this file system is not fit for that (an NFS without coherent "
      + "caches, a disk of each node's own). Name another (--directory)."
    return Check(name: "shared file", advice: advice, isOfFiles: true) { site, ranks in
      guard let directory = site.directory else { return noDirectory }
      let table = SharedTable(path: "\(directory)/shared.h5", rows: site.isQuick ? 2_000 : 100_000)
      let begun = monotonicSeconds()
      var faults = Faults()
      for round in 1...2 {
        try table.write(round, over: ranks)
        let fault = ranks.isRoot ? faultOf { try spoil(table.path) } : nil
        faults.expect(fault == nil, fault ?? "")
        try ranks.barrier()
        _ = try SealedFile.verified(
          table.path, unsealed: "is damaged: it has lost its seal", over: ranks)
        let wrong = table.fault(round, over: ranks)
        faults.expect(wrong == nil, wrong ?? "")
        try ranks.barrier()
      }
      let seconds = try ranks.max(monotonicSeconds() - begun)
      return Finding(
        faults.first,
        else: "2 × \(bytes(4 * table.rows * SharedTable.width * ranks.size)) in \(duration(seconds))")
    }
  }

  /// That one process keeps others out of a run directory.
  ///
  /// - Parameter take: takes the lock of a directory, or throws.
  package static func locks(
    _ take: @escaping @Sendable (_ directory: String, _ host: String) throws -> AnyObject = {
      try DirectoryLock.take($0, host: $1, advice: "Name another")
    }
  ) -> Check {
    let advice =
      "The file system has no locks between hosts: don't start two jobs with one output.directory, or mount it with "
      + "locks (Lustre: -o flock)."
    return Check(name: "locks", advice: advice, isOfFiles: true) { site, ranks in
      guard let directory = site.directory else { return noDirectory }
      guard ranks.size > 1 else { return .skipped("one rank has nobody to keep out: start two") }
      let host = site.hosts[ranks.rank]
      var lock: AnyObject?
      var fault = ranks.isRoot ? faultOf { lock = try take(directory, host) } : nil
      try ranks.barrier()
      if !ranks.isRoot && faultOf({ _ = try take(directory, host) }) == nil {
        fault = "the lock of a directory was given twice, here and to rank 0 on \(site.hosts[0])"
      }
      try ranks.barrier()
      withExtendedLifetime(lock) {}
      return Finding(fault, else: "rank 0's lock keeps \(counted(ranks.size - 1, "other rank")) out")
    }
  }
}

/// A table that all ranks write, each its own rows.
private struct SharedTable {
  static let width = 16
  let path: String
  /// Of each rank.
  let rows: Int

  private func entry(_ row: Int, _ column: Int, _ round: Int) -> Float {
    Float((row * 31 + column * 7 + round) % 65_521)
  }

  /// Collective.
  func write(_ round: Int, over ranks: borrowing Communicator) throws {
    let (rank, all) = (ranks.rank, rows * ranks.size)
    var own = Matrix<Float>(rows: Self.width, columns: rows)
    for j in 0..<rows { for i in 0..<Self.width { own[i, j] = entry(rank * rows + j, i, round) } }
    try PendingFile(path).writeSealedHDF5(bytes: 4 * all * Self.width, over: ranks) { outline in
      [try outline.reserve("table", of: Float.self, shape: [all, Self.width])]
    } fill: { reserved, file in
      try reserved[0].write(rank * rows..<(rank + 1) * rows, from: own.elements, to: file)
    }
  }

  /// What is wrong with the rows of this rank and its neighbours. Local.
  func fault(_ round: Int, over ranks: borrowing Communicator) -> String? {
    let (rank, size) = (ranks.rank, ranks.size)
    var wrong: String?
    let fault = faultOf {
      let file = try HDF5File(reading: path)
      let table = try file.array("table")
      for owner in Set([rank, (rank + 1) % size, 0]).sorted() {
        let values: [Float] = try table.values(owner * rows..<(owner + 1) * rows)
        for (k, value) in values.enumerated()
        where value != entry(owner * rows + k / Self.width, k % Self.width, round) {
          wrong = "row \(owner * rows + k / Self.width) of rank \(owner) is not as it was written"
          return
        }
      }
    }
    return fault ?? wrong
  }
}

/// A new directory for this job alone.
private func madeDirectory(in parent: String) throws -> String {
  var template = Array("\(parent)/admm-mpi-verify-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw systemFailure("\(parent) can't be written") }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  chmod(path, 0o777 & ~creationMask())
  return path
}

private func creationMask() -> mode_t {
  let mask = umask(0)
  umask(mask)
  return mask
}

/// Removes a directory and all in it, as far as that can be done. Local.
func removeTree(_ path: String) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  guard status.st_mode & S_IFMT == S_IFDIR else {
    unlink(path)
    return
  }
  for name in names(in: path) ?? [] { removeTree("\(path)/\(name)") }
  rmdir(path)
}
