import Basics
import Reports

/// The results of a run that could not be written. The others are written all the same, and what a former write left
/// stays.
struct Losses {
  private let console: Console
  /// What the process ends with where something is lost.
  private(set) var status: ExitStatus?

  init(_ console: Console) { self.console = console }

  /// Does what writes a result, and says so where it can't. Collective if `write` is.
  ///
  /// - Throws: what is no shared `Failure` of status `inputOutput`.
  mutating func noting(_ write: () throws -> Void) throws {
    do { try write() } catch let failure as Failure where failure.isShared && failure.status == .inputOutput {
      console.warn(failure.message)
      status = .inputOutput
    }
  }
}
