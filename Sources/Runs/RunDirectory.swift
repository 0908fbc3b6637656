import Basics
import Files
import Glibc
import MPI
import Reports

/// The directory that a run leaves its results in. Rank 0 writes; all ranks learn of a failure and throw alike.
public struct RunDirectory: Sendable {
  public let path: String
  private let options: Options
  /// What a former run may have left.
  private let former: [String]
  private let kept: KeptFiles
  /// Keeps other jobs away as long as this one writes here. nil on all ranks but 0.
  private let lock: DirectoryLock?

  /// What a run may leave in it.
  static let files = results + ["config.toml"]

  /// What comes out of it.
  static let results = ["run.json", "iterations.jsonl", "model.h5"]

  /// How the user says which directory to take, and that a former run may be replaced: for messages.
  package typealias Options = (directory: String, overwrite: String)

  /// Makes the directory, with those above it, or takes an empty one, and writes to it. Collective.
  ///
  /// From here until the last copy of this value goes no other job can take it.
  ///
  /// - Parameters:
  ///   - overwrite: whether one that holds something may be taken. Nothing is deleted yet: see `removeFormerRun`.
  ///   - files: what a former run may have left.
  ///   - inputs: what this run reads: none of these may be replaced.
  /// - Throws: a shared `Failure` of status `inputOutput`: it can't be made or written, is not empty, or is in use.
  package init(
    _ path: String, overwrite: Bool, files: [String], inputs: [String], options: Options,
    over ranks: borrowing Communicator
  ) throws {
    let isRoot = ranks.isRoot
    let kept = KeptFiles(inputs)
    let host = try ranks.hostName()
    lock = try ranks.agree {
      guard isRoot else { return nil }
      try Self.make(path, options)
      let lock = try DirectoryLock.take(path, host: host, advice: "Choose another \(options.directory)")
      let found = try Self.contents(of: path, options)
      guard found.isEmpty || overwrite else { throw Self.notEmpty(path, found, options) }
      for file in files {
        guard let input = kept.path(sameAs: path + "/" + file) else { continue }
        throw Failure(
          .inputOutput,
          "the results would replace \(path)/\(file), which is \(input) and is read. "
            + "Choose another \(options.directory).")
      }
      return lock
    }
    self.path = path
    self.options = options
    self.kept = kept
    former = files
  }

  /// The directory of one run of training. Collective.
  ///
  /// - Parameter resumes: whether a run that it holds goes on.
  public init(
    _ path: String, overwrite: Bool, resumes: Bool = false, inputs: [String] = [],
    over ranks: borrowing Communicator
  ) throws {
    let isRoot = ranks.isRoot
    let holdsRun = try ranks.agree { isRoot && resumes && isReadable(path + "/run.json") }
    try self.init(
      path, overwrite: overwrite || holdsRun, files: Self.files, inputs: inputs,
      options: ("output.directory", "output.overwrite = true"), over: ranks)
  }

  /// Deletes the files of a former run, so that results of two runs are never mixed; what else is there stays.
  /// Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package func removeFormerRun(over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot else { return }
      for file in former where unlink(path(of: file)) != 0 && errno != ENOENT {
        throw systemFailure("\(path(of: file)) can't be replaced")
      }
      Checkpoints.remove(in: path)
    }
  }

  /// Refuses a file system that has no room for so many bytes. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package func checkRoom(for needed: Int, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot, let free = freeBytes(in: path), free < needed else { return }
      throw Failure(
        .inputOutput,
        "the disk of \(path) has \(bytes(free)) left, and the results need about \(bytes(needed)). Make room, or "
          + "choose another \(options.directory).")
    }
  }

  /// The path of a file in it.
  public func path(of file: String) -> String { path + "/" + file }

  /// Writes a whole file: either all of it gets its name or, after a failure at any point, nothing changes.
  /// Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  public func write(_ file: String, _ text: String, over ranks: borrowing Communicator) throws {
    try withAdvice(options) { try pending(file).write(text, over: ranks) }
  }

  /// A file in it that replaces none of the run's inputs. Makes nothing yet.
  package func pending(_ file: String) -> PendingFile { PendingFile(path(of: file), keeping: kept) }

  /// Starts a file of lines, such as iterations.jsonl, or goes on with one. Collective.
  ///
  /// - Parameters:
  ///   - lines: how many lines of what is there, its first, are kept; nil where nothing may be there.
  ///   - warn: is told of lines that can't be written.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  public func log(
    _ name: String, keeping lines: Int? = nil, over ranks: borrowing Communicator,
    warn: @escaping (String) -> Void = { _ in }
  ) throws -> Log {
    let isRoot = ranks.isRoot
    let (file, kept) = try withAdvice(options) {
      try ranks.agree { () -> (OutputFile?, Int) in
        guard isRoot else { return (nil, 0) }
        guard let lines else { return (try OutputFile(new: path(of: name)), 0) }
        let kept = try keep(lines, of: name)
        return (try OutputFile(existing: path(of: name)), kept)
      }
    }
    return Log(self, name, file, written: kept, warn: warn)
  }

  /// Cuts a file of lines after so many. Local. Returns how many bytes are left.
  private func keep(_ lines: Int, of file: String) throws -> Int {
    var kept: [UInt8] = []
    if isReadable(path(of: file)) {
      let input = try InputFile(path(of: file))
      let newline = UInt8(ascii: "\n")
      let all = try input.bytes(input.size).split(separator: newline, maxSplits: lines)
      for line in all.prefix(lines) { kept += line + [newline] }
    }
    try pending(file).write(kept)
    return kept.count
  }

  /// Makes the directory again where it was removed or renamed, and says so. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  func restore(_ console: Console, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.agree { if isRoot { try restore(console.warn) } }
  }

  /// The same. Local, for rank 0.
  ///
  /// - Throws: a `Failure` of status `inputOutput`.
  func restore(_ warn: (String) -> Void) throws {
    guard FileIdentity(path) == nil else { return }
    try Self.make(path, options)
    try lock?.renew()
    warn(
      "the run directory \(path) was removed or renamed. It is made again, for what the run leaves from here on."
    )
  }

  // MARK: Rank 0's work

  private static func make(_ path: String, _ options: Options) throws {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/" + part
      guard mkdir(made, 0o777) != 0, errno != EEXIST else { continue }
      throw systemFailure(
        "the run directory \(path) can't be made", advice: "Choose another \(options.directory)")
    }
  }

  private static func contents(of path: String, _ options: Options) throws -> [String] {
    guard let names = names(in: path) else {
      throw systemFailure(
        "the run directory \(path) can't be made", advice: "Choose another \(options.directory)")
    }
    return names.filter { ![DirectoryLock.name, RankStates.name].contains($0) }.sorted()
  }

  private static func notEmpty(_ path: String, _ found: [String], _ options: Options) -> Failure {
    let some = found.prefix(3).joined(separator: ", ") + (found.count > 3 ? ", …" : "")
    return Failure(
      .inputOutput,
      "the run directory \(path) is not empty (\(some)). "
        + "Choose another \(options.directory), or replace what a former run left there by \(options.overwrite)."
    )
  }
}

/// Does what writes a file, and says of a failure what the user can do.
private func withAdvice<T>(_ options: RunDirectory.Options, _ body: () throws -> T) throws -> T {
  do { return try body() } catch let failure as Failure {
    throw Failure(
      failure.status, "\(failure.message) Make room, or choose another \(options.directory).",
      isShared: failure.isShared)
  }
}
