import Basics
import Glibc
import MPI
import Reports

/// Where the checks run, and what they share.
package final class Site {
  /// Where files are tried out.
  let parent: String
  /// Whether to look at less.
  let isQuick: Bool
  /// The program's own file.
  let program: String
  let launch: Launch
  /// A directory for files in `parent`, once there is one that all ranks can use.
  package var directory: String?
  /// Whether `parent` was not there before.
  var hasMadeParent = false

  /// Collective.
  package init(
    _ parent: String, isQuick: Bool, program: String = "/proc/self/exe", over ranks: borrowing Communicator
  ) throws {
    self.parent = parent
    self.isQuick = isQuick
    self.program = program
    launch = try Launch(threads: 1, over: ranks)
  }

  /// Removes what the checks have made. For rank 0.
  func clear() {
    if let directory { removeTree(directory) }
    if hasMadeParent { rmdir(parent) }
  }

  /// The name of each rank's host.
  var hosts: [String] { launch.machine.hostOfRank }

  /// "rank 3 on n02 and rank 4 on n02", or how many.
  func list(_ ranks: [Int]) -> String {
    guard ranks.count > 3 else {
      return ranks.map { "rank \($0) on \(hosts[$0])" }.joined(separator: " and ")
    }
    let names = Set(ranks.map { hosts[$0] })
    return "\(counted(ranks.count, "more rank")) on \(counted(names.count, "host"))"
  }
}
