import Basics
import MPI

/// What run.json says of the end of a run.
package struct RecordedEnd: Equatable {
  package let status: RunStatus
  package let exitStatus: ExitStatus
  package let iterations: Int

  /// Reads the first lines of run.json, which have all of it; nil where they have not.
  package init?(_ text: String) {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.filter { !" \",".contains($0) } }
      if parts.count == 2 && values[parts[0]] == nil { values[parts[0]] = parts[1] }
    }
    guard let status = values["status"].flatMap(RunStatus.init),
      let iterations = values["iterations"].flatMap({ Int($0) })
    else { return nil }
    self.status = status
    self.iterations = iterations
    exitStatus = values["exit_status"].flatMap { Int32($0) }.flatMap(ExitStatus.init) ?? .done
  }
}

extension RunDirectory {
  /// How its run ended, where it came to its end and no more iterations are asked for. Collective.
  ///
  /// - Throws: a shared `Failure` where more are, and there is no checkpoint to go on from.
  func finished(_ iterations: Int, over ranks: borrowing Communicator) throws -> RecordedEnd? {
    guard let end = try recordedEnd(over: ranks), end.status != .running, !end.status.isEarly else {
      return nil
    }
    guard end.status == .max_iterations && end.iterations < iterations else { return end }
    guard try Checkpoints(self, keep: 1).iterations(over: ranks).isEmpty else { return nil }
    throw Failure(
      .badConfiguration,
      "the run in \(path) is finished, and left no checkpoint from which it could do more than its "
        + "\(end.iterations) iterations: that takes checkpoint.at_end = true. Train anew in another output.directory.",
      isShared: true)
  }
}
