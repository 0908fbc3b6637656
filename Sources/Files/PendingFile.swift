import Basics
import Glibc
import MPI

/// A file that is written under a temporary name and gets its own when it is whole and on the disk.
///
/// The temporary name is a new one each time, in the same directory: no link is followed, nothing that is there is
/// touched, and renaming is one step of the file system. After a failure at any point what was there stays, and the
/// temporary file is removed. Every result that is not a growing log is written this way: by one rank (`write`), by
/// one rank for all (`writeInOrder`), or by all ranks into one file (`writeTogether`).
package struct PendingFile: Sendable {
  /// What it will be called.
  package let path: String
  /// What must not be replaced by it.
  private let kept: KeptFiles

  /// A file that replaces what is there. Makes nothing yet.
  package init(_ path: String, keeping kept: KeptFiles = KeptFiles()) {
    self.path = path
    self.kept = kept
  }

  /// Makes nothing yet. Collective.
  ///
  /// - Parameters:
  ///   - force: whether a file of this name may be replaced.
  ///   - inputs: what the same command reads, and never replaces.
  /// - Throws: a shared `Failure` of status `inputOutput` where it may not, or where a directory or a device has the
  ///   name.
  package init(
    _ path: String, force: Bool, keeping inputs: [String] = [], over ranks: borrowing Communicator
  ) throws {
    self.init(path, keeping: KeptFiles(inputs))
    let isRoot = ranks.isRoot
    try ranks.agree { if isRoot { try check(force: force) } }
  }

  private func check(force: Bool) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    try checkKept()
    guard force else {
      throw Failure(.inputOutput, "\(path) exists. Name another file, or replace it with --force.")
    }
    guard stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(.inputOutput, "\(path) is not a file but a directory or a device. Name a file.")
    }
  }

  private func checkKept() throws {
    guard let input = kept.path(sameAs: path) else { return }
    throw Failure(
      .inputOutput,
      "\(path) is \(input == path ? "read" : "the same file as \(input), which is read") here, and is not replaced. "
        + "Name another file.")
  }

  // MARK: By one rank

  /// Lets `body` write the file, and gives it its name. Local.
  ///
  /// - Parameter body: may write by the file's temporary path, too.
  /// - Throws: what `body` throws, and a `Failure` of status `inputOutput`.
  package func write(_ body: (_ file: OutputFile) throws -> Void) throws {
    try write(to: temporary(), body)
  }

  private func write(to file: OutputFile, _ body: (_ file: OutputFile) throws -> Void) throws {
    do {
      try body(file)
      try file.finish()
      try settle(file)
    } catch {
      unlink(file.path)
      throw error
    }
  }

  /// Writes a whole file. Local.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  package func write(_ bytes: [UInt8]) throws {
    try write { file in try bytes.withUnsafeBytes(file.write) }
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
    let isRoot = ranks.isRoot
    let file = try ranks.agree { isRoot ? try temporary() : nil }
    let counts = try ranks.gather([text.count]).map { $0[0] }
    guard let file else {
      try text.withUnsafeBufferPointer { text in
        for start in stride(from: 0, to: text.count, by: limit) {
          try ranks.send(UnsafeBufferPointer(rebasing: text[start..<min(start + limit, text.count)]), to: 0)
        }
      }
      return try ranks.agree {}
    }
    let outcome = Result {
      try write(to: file) { file in
        var outcome = Result { try text.withUnsafeBytes(file.write) }
        // After a failure the others' texts are received all the same, so that they end their sending.
        try receive(counts, limit: limit, over: ranks) { bytes in
          outcome = outcome.flatMap { Result { try file.write(UnsafeRawBufferPointer(bytes)) } }
        }
        try outcome.get()
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

  /// Lets all ranks write one file, each its own part of it, and gives it its name. Collective.
  ///
  /// - Parameter body: collective; each rank has the file open.
  /// - Throws: a shared `Failure` of status `inputOutput`; one that is not shared where `body` fails on this rank
  ///   and leaves others waiting: end the job then.
  package func writeTogether(
    over ranks: borrowing Communicator, _ body: (_ file: OutputFile) throws -> Void
  ) throws {
    let isRoot = ranks.isRoot
    let made = try ranks.agree { isRoot ? try temporary() : nil }
    let temporaryPath = try ranks.broadcast(made?.path ?? "")
    do {
      let file = try ranks.agree { try made ?? OutputFile(existing: temporaryPath, calling: path) }
      try body(file)
      // Each rank's host may still hold what it wrote.
      try ranks.agree { try file.finish() }
      try ranks.agree { if isRoot { try settle(file) } }
    } catch let failure as Failure {
      if isRoot || !failure.isShared { unlink(temporaryPath) }
      throw failure
    } catch {
      unlink(temporaryPath)
      throw Failure(.inputOutput, "\(path) can't be written: \(error).")
    }
  }

  // MARK: Steps

  /// An empty file of a new name in the same directory.
  private func temporary() throws -> OutputFile {
    while true {
      let name = UnfinishedFile.name(UInt64.random(in: 0 ... .max))
      let file = try OutputFile(new: "\(directory(of: path))/\(name)", calling: path)
      if file.hold() { return file }
    }
  }

  /// Gives the whole file its name, and has the disk hold that too.
  private func settle(_ file: OutputFile) throws {
    try checkKept()
    // Until it has its name it is being written.
    let code = withExtendedLifetime(file) { rename(file.path, path) }
    guard code == 0 else { throw systemFailure("\(path) can't be replaced") }
    // Without the right to read a directory there is nothing to be synced by, and some file systems can't.
    let descriptor = open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw systemFailure("the name of \(path) can't be written to its directory")
    }
  }
}
