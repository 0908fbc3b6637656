import Basics
import Files
import Glibc
import MPI

/// The directory that a run leaves its results in. Rank 0 writes; all ranks learn of a failure and throw alike.
public struct RunDirectory: Sendable {
  public let path: String
  private let options: Options

  /// What a run may leave in it.
  static let files = ["run.json", "iterations.jsonl", "model.h5"]

  /// How the user says which directory to take, and that a former run may be replaced: for messages.
  package typealias Options = (directory: String, overwrite: String)

  /// Makes the directory, with those above it, or takes an empty one. Collective.
  ///
  /// - Parameters:
  ///   - overwrite: whether one that holds something may be taken. The files of a former run are then deleted, so
  ///     that results of two runs are never mixed; what else is there stays.
  ///   - files: what a former run may have left.
  /// - Throws: a shared `Failure` of status `inputOutput`: it can't be made or written, or is not empty.
  package init(
    _ path: String, overwrite: Bool, files: [String], options: Options, over ranks: borrowing Communicator
  ) throws {
    self.path = path
    self.options = options
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot else { return }
      try Self.make(path, options)
      let found = try Self.contents(of: path, options)
      guard found.isEmpty || overwrite else { throw Self.notEmpty(path, found, options) }
      for file in files where unlink(path + "/" + file) != 0 && errno != ENOENT {
        throw systemFailure("\(path)/\(file) can't be replaced")
      }
      try Self.probe(path, options)
    }
  }

  /// The directory of one run of training. Collective.
  public init(_ path: String, overwrite: Bool, over ranks: borrowing Communicator) throws {
    try self.init(
      path, overwrite: overwrite, files: Self.files, options: ("output.directory", "output.overwrite = true"),
      over: ranks)
  }

  /// The path of a file in it.
  public func path(of file: String) -> String { path + "/" + file }

  /// Writes a whole file: either all of it gets its name or, after a failure at any point, nothing changes.
  /// Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  public func write(_ file: String, _ text: String, over ranks: borrowing Communicator) throws {
    try withAdvice(options) { try PendingFile(path(of: file)).write(text, over: ranks) }
  }

  /// Starts a file of lines, such as iterations.jsonl. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  public func log(_ file: String, over ranks: borrowing Communicator) throws -> Log {
    try Log(path(of: file), options, over: ranks)
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
    guard let directory = opendir(path) else {
      throw systemFailure(
        "the run directory \(path) can't be made", advice: "Choose another \(options.directory)")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func notEmpty(_ path: String, _ found: [String], _ options: Options) -> Failure {
    let some = found.prefix(3).joined(separator: ", ") + (found.count > 3 ? ", …" : "")
    return Failure(
      .inputOutput,
      "the run directory \(path) is not empty (\(some)). "
        + "Choose another \(options.directory), or replace what a former run left there by \(options.overwrite)."
    )
  }

  /// Finds out before training whether a file can be written.
  private static func probe(_ path: String, _ options: Options) throws {
    let name = path + "/.probe"
    let file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw systemFailure(
        "the run directory \(path) can't be written", advice: "Choose another \(options.directory)")
    }
    close(file)
    unlink(name)
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

/// A file that grows by whole lines, each handed to the operating system at once: a run that is killed keeps its
/// lines.
public struct Log: ~Copyable {
  /// nil on all ranks but 0.
  private let file: OutputFile?
  private let options: RunDirectory.Options

  fileprivate init(
    _ path: String, _ options: RunDirectory.Options, over ranks: borrowing Communicator
  ) throws {
    let isRoot = ranks.isRoot
    file = try withAdvice(options) {
      try ranks.agree { isRoot ? try OutputFile(path, appending: true) : nil }
    }
    self.options = options
  }

  /// Adds a line. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`.
  public func append(_ line: String, over ranks: borrowing Communicator) throws {
    try withAdvice(options) { try ranks.agree { try file?.write(line + "\n") } }
  }
}
