import Basics
import Files
import Glibc
import MPI

/// The checkpoints in a run directory: `checkpoints/checkpoint-ITERATION.h5`, of which the newest few are kept.
package struct Checkpoints: Sendable {
  static let directory = "checkpoints"

  private let run: RunDirectory
  /// How many are kept.
  private let keep: Int

  init(_ run: RunDirectory, keep: Int) {
    self.run = run
    self.keep = keep
  }

  /// Writes the one after an iteration, and removes the oldest. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`; the others stay.
  func write(
    _ writer: CheckpointWriter, after iteration: Int, samples: Int, range: Range<Int>,
    over ranks: borrowing Communicator
  ) throws {
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot, mkdir(run.path(of: Self.directory), 0o777) != 0, errno != EEXIST else { return }
      throw systemFailure("\(run.path(of: Self.directory)) can't be made")
    }
    try writer.write(to: run.pending(Self.name(iteration)), samples: samples, range: range, over: ranks)
    if isRoot { for old in numbers.dropFirst(keep) { unlink(run.path(of: Self.name(old))) } }
  }

  /// The iterations after which there is one, the newest first, as rank 0 sees them. Collective.
  func iterations(over ranks: borrowing Communicator) throws -> [Int] {
    var found = ranks.isRoot ? numbers : []
    try ranks.broadcast(&found)
    return found
  }

  /// The path of the one after an iteration.
  func path(_ iteration: Int) -> String { run.path(of: Self.name(iteration)) }

  /// Removes all of them. Local: for rank 0.
  static func remove(in run: String) {
    for number in numbers(in: run) { unlink("\(run)/\(name(number))") }
    rmdir("\(run)/\(directory)")
  }

  private var numbers: [Int] { Self.numbers(in: run.path) }

  /// The iterations after which a run directory has one, the newest first. Local.
  package static func numbers(in run: String) -> [Int] {
    let found = names(in: "\(run)/\(directory)") ?? []
    return found.compactMap(iteration).sorted(by: >)
  }

  private static func name(_ iteration: Int) -> String { "\(directory)/checkpoint-\(iteration).h5" }

  private static func iteration(_ name: String) -> Int? {
    guard name.hasPrefix("checkpoint-"), name.hasSuffix(".h5") else { return nil }
    return Int(name.dropFirst("checkpoint-".count).dropLast(".h5".count))
  }
}
