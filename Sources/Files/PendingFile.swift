import Basics
import Glibc
import MPI

/// A file that is written under a temporary name and gets its own when it is whole and on the disk.
///
/// After a failure at any point what was there stays, and the temporary file is removed. Every result that is not a
/// growing log is written this way: by one rank (`write`), by one rank for all (`writeInOrder`), or by all ranks
/// into one file (`writeTogether`).
package struct PendingFile: Sendable {
  /// What it will be called.
  package let path: String
  /// What it is called until then: a name in the same directory, so that renaming is one step of the file system.
  private let temporaryPath: String

  /// A file that replaces what is there. Makes nothing yet.
  package init(_ path: String) {
    self.path = path
    temporaryPath = path + ".part"
  }

  /// Makes nothing yet. Collective.
  ///
  /// - Parameter force: whether a file of this name may be replaced.
  /// - Throws: a shared `Failure` of status `inputOutput` where it may not.
  package init(_ path: String, force: Bool, over ranks: borrowing Communicator) throws {
    self.init(path)
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot && !force && access(path, F_OK) == 0 else { return }
      throw Failure(.inputOutput, "\(path) exists. Name another file, or replace it with --force.")
    }
  }

  // MARK: By one rank

  /// Lets `body` write the file of the temporary name, and gives it its own. Local.
  ///
  /// - Throws: what `body` throws, and a `Failure` of status `inputOutput`.
  package func write(_ body: (_ temporaryPath: String) throws -> Void) throws {
    do {
      try body(temporaryPath)
      try Self.sync(temporaryPath)
      try settle()
    } catch {
      unlink(temporaryPath)
      throw error
    }
  }

  /// Writes a whole file. Local.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ bytes: [UInt8]) throws {
    try write { temporaryPath in
      let file = try OutputFile(temporaryPath)
      try bytes.withUnsafeBytes(file.write)
      try file.close()
    }
  }

  /// Has rank 0 write a text. Collective.
  ///
  /// - Parameter text: only rank 0's matters.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package func write(_ text: String, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.agree { if isRoot { try write(Array(text.utf8)) } }
  }

  /// Makes a file of every rank's text, rank 0's first. Collective.
  ///
  /// Rank 0 receives and writes the others' texts a few megabytes at a time: it needs no file system that all ranks
  /// share.
  ///
  /// - Parameter limit: the most bytes that are sent at once; tests set less.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package func writeInOrder(
    _ text: [UInt8], limit: Int = 1 << 22, over ranks: borrowing Communicator
  ) throws {
    let counts = try ranks.gather([text.count]).map { $0[0] }
    guard ranks.isRoot else {
      try text.withUnsafeBufferPointer { text in
        for start in stride(from: 0, to: text.count, by: limit) {
          try ranks.send(UnsafeBufferPointer(rebasing: text[start..<min(start + limit, text.count)]), to: 0)
        }
      }
      return try ranks.agree {}
    }
    let outcome = Result {
      try write { temporaryPath in
        // After a failure the others' texts are received all the same, so that they end their sending.
        var file = Result { try OutputFile(temporaryPath) }
        func put(_ bytes: UnsafeBufferPointer<UInt8>) {
          file = file.flatMap { file in
            Result {
              try file.write(UnsafeRawBufferPointer(bytes))
              return file
            }
          }
        }
        text.withUnsafeBufferPointer(put)
        try receive(counts, limit: limit, over: ranks, put)
        try file.get().close()
      }
    }
    try ranks.agree { try outcome.get() }
  }

  /// Receives the texts of all ranks but 0, in their order. For rank 0.
  private func receive(
    _ counts: [Int], limit: Int, over ranks: borrowing Communicator,
    _ take: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws(MPIError) {
    var piece = [UInt8](repeating: 0, count: min(limit, counts.dropFirst().max() ?? 0))
    for rank in counts.indices.dropFirst() {
      for start in stride(from: 0, to: counts[rank], by: limit) {
        try piece.withUnsafeMutableBufferPointer { piece throws(MPIError) in
          let own = UnsafeMutableBufferPointer(rebasing: piece[..<min(limit, counts[rank] - start)])
          try ranks.receive(own, from: rank)
          take(UnsafeBufferPointer(own))
        }
      }
    }
  }

  // MARK: By all ranks

  /// Lets all ranks write one file of the temporary name, such as parallel HDF5 does, and gives it its own.
  /// Collective.
  ///
  /// - Parameter body: collective.
  /// - Throws: a shared `Failure` of status `inputOutput`; one that is not shared where `body` fails on this rank
  ///   and leaves others waiting: end the job then.
  package func writeTogether(
    over ranks: borrowing Communicator, _ body: (_ temporaryPath: String) throws -> Void
  ) throws {
    let isRoot = ranks.isRoot
    do {
      try body(temporaryPath)
      // Each rank's host may still hold what it wrote.
      try ranks.agree { try Self.sync(temporaryPath) }
      try ranks.agree { if isRoot { try settle() } }
    } catch let failure as Failure {
      if isRoot || !failure.isShared { unlink(temporaryPath) }
      throw failure
    } catch {
      unlink(temporaryPath)
      throw Failure(.inputOutput, "\(path) can't be written: \(error).")
    }
  }

  // MARK: Steps

  /// Has the disk hold all of a file.
  private static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("\(path) can't be written") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemFailure("\(path) can't be written") }
  }

  /// Gives the whole file its name, and has the disk hold that too.
  private func settle() throws {
    guard rename(temporaryPath, path) == 0 else { throw systemFailure("\(path) can't be replaced") }
    // Without the right to read a directory there is nothing to be synced by, and some file systems can't.
    let descriptor = open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw systemFailure("the name of \(path) can't be written to its directory")
    }
  }
}
