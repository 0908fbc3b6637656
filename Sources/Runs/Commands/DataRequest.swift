import Glibc
import Datasets
import MPI

extension Configuration {
  /// Defaults, with what options of a subcommand replace in [data]. Collective.
  ///
  /// - Throws: a shared `Failure` of status `usage`.
  static func defaults(with settings: [DataSetting], over ranks: borrowing Communicator) throws
    -> Configuration
  {
    var configuration = Configuration(preset: .robust)
    try configuration.replace(settings, over: ranks)
    return configuration
  }

  /// Replaces in [data] what options of a subcommand say. Collective.
  mutating func replace(_ settings: [DataSetting], over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    let here = try ranks.agree { isRoot ? try Runs.currentDirectory() : "" }
    try apply(settings, currentDirectory: ranks.broadcast(here))
  }
}

/// A file that is written under a temporary name and gets its own when it is whole.
struct PendingFile {
  /// What it will be called.
  let path: String
  /// What it is called until then.
  let temporaryPath: String

  /// Collective.
  ///
  /// - Parameter force: whether a file of this name may be replaced.
  /// - Throws: a shared `Failure` of status `inputOutput` where it may not.
  init(_ path: String, force: Bool, over ranks: borrowing Communicator) throws {
    self.path = path
    temporaryPath = path + ".part"
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot && !force && access(path, F_OK) == 0 else { return }
      throw Failure(.inputOutput, "\(path) exists. Name another file, or replace it with --force.")
    }
  }

  /// Gives the file its name. Collective; all ranks have closed it.
  func commit(over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.barrier()
    try ranks.agree {
      guard isRoot, rename(temporaryPath, path) != 0 else { return }
      throw Failure(
        .inputOutput, "\(temporaryPath) can't be renamed to \(path): \(String(cString: strerror(errno))).")
    }
  }

  /// Removes what was written so far, after a failure. Local; rank 0 does it.
  func discard(_ ranks: borrowing Communicator) {
    if ranks.isRoot { unlink(temporaryPath) }
  }
}
