import Basics
import MPI

/// What run.json says of the end of a run.
struct RecordedEnd: Equatable {
  let status: RunStatus
  let exitStatus: ExitStatus
  let iterations: Int

  /// Reads the first lines of run.json, which have all of it; nil where they have not.
  init?(_ text: String) {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.filter { !" \",".contains($0) } }
      if parts.count == 2 && values[parts[0]] == nil { values[parts[0]] = parts[1] }
    }
    guard let status = values["status"].flatMap(RunStatus.init), let iterations = values["iterations"].flatMap({ Int($0) })
    else { return nil }
    self.status = status
    self.iterations = iterations
    exitStatus = values["exit_status"].flatMap { Int32($0) }.flatMap(ExitStatus.init) ?? .done
  }
}

extension RunDirectory {
  /// How its run ended, where it came to its end and no more than these iterations are asked for. Collective.
  func finished(_ iterations: Int, over ranks: borrowing Communicator) throws -> RecordedEnd? {
    guard let end = try recordedEnd(over: ranks), end.status != .running, !end.status.isEarly else { return nil }
    let hasReachedLimit = end.status == .max_iterations
    return hasReachedLimit && end.iterations < iterations ? nil : end
  }
}
