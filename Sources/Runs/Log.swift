import Basics
import Files
import MPI

/// A file that grows by whole lines, such as iterations.jsonl, each handed to the operating system at once: a run that
/// is killed keeps its lines.
///
/// A line that can't be written is no reason to end a run: it waits in memory, a part of it that was written is cut
/// off, and it is tried again with the next line and at the end. Where the file has lost its name, because the run
/// directory was removed or renamed, both are made again with all lines.
public final class Log {
  private let directory: RunDirectory
  private let name: String
  private let warn: (String) -> Void
  /// nil on all ranks but 0.
  private var file: OutputFile?
  /// How many bytes of whole lines the file has.
  private var written: Int
  /// The lines that it does not have yet.
  private var waiting: [UInt8] = []
  private var hasWarned = false

  /// - Parameters:
  ///   - file: on rank 0.
  ///   - written: how many bytes it holds.
  init(
    _ directory: RunDirectory, _ name: String, _ file: OutputFile?, written: Int,
    warn: @escaping (String) -> Void
  ) {
    self.directory = directory
    self.name = name
    self.file = file
    self.written = written
    self.warn = warn
  }

  /// Adds a line. Local; rank 0 writes. Warns once of lines that can't be written.
  public func append(_ line: String) {
    guard file != nil else { return }
    waiting += Array("\(line)\n".utf8)
    do { try settle() } catch {
      guard !hasWarned else { return }
      hasWarned = true
      warn(
        "\(error) The run goes on; lines of \(name) wait in memory, and are written as soon as that is possible."
      )
    }
  }

  /// Writes what still waits. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput` where lines are missing.
  public func finish(over ranks: borrowing Communicator) throws {
    try ranks.agree {
      do { try settle() } catch {
        let count = waiting.count { $0 == UInt8(ascii: "\n") }
        throw Failure(
          .inputOutput, "\(error) The last \(counted(count, "line")) of \(name) could not be kept.")
      }
    }
  }

  private func settle() throws {
    guard var file else { return }
    if !file.hasItsName {
      try directory.restore(warn)
      try directory.pending(name).write(file.bytes(written))
      file = try OutputFile(existing: directory.path(of: name))
      self.file = file
    }
    guard !waiting.isEmpty else { return }
    do { try waiting.withUnsafeBytes { try file.write($0, at: written) } } catch {
      file.cut(to: written)
      throw error
    }
    written += waiting.count
    waiting.removeAll()
  }
}
