import Configuration
import Files
import MPI

extension Configuration {
  /// Defaults, with what options of a subcommand replace in [data]. Collective.
  ///
  /// - Throws: a shared `Failure` of status `usage`.
  static func defaults(with settings: [DataSetting], over ranks: borrowing Communicator) throws
    -> Configuration
  {
    var configuration = Configuration()
    try configuration.replace(settings, over: ranks)
    return configuration
  }

  /// Replaces in [data] what options of a subcommand say. Collective.
  mutating func replace(_ settings: [DataSetting], over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    let here = try ranks.agree { isRoot ? try Files.currentDirectory() : "" }
    try apply(settings, currentDirectory: ranks.broadcast(here))
  }
}
