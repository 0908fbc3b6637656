import Basics
import Files
import MPI

/// What run.json says of the end of a run.
package struct RecordedEnd: Equatable {
  package let status: RunStatus
  package let exitStatus: ExitStatus
  package let iterations: Int

  /// Reads the first lines of run.json, which have all of it; nil where they have not.
  package init?(_ text: String) {
    guard let status = recordedValue("status", in: text).flatMap(RunStatus.init),
      let iterations = recordedValue("iterations", in: text).flatMap({ Int($0) })
    else { return nil }
    self.status = status
    self.iterations = iterations
    exitStatus =
      recordedValue("exit_status", in: text).flatMap { Int32($0) }.flatMap(ExitStatus.init) ?? .done
  }
}

/// The value of the first line of run.json with this key, without quotes; nil where there is none.
package func recordedValue(_ key: String, in text: String) -> String? {
  for line in text.split(separator: "\n") {
    let parts = line.split(separator: ":", maxSplits: 1).map { $0.filter { !" \",".contains($0) } }
    if parts.count == 2 && parts[0] == key { return parts[1] }
  }
  return nil
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

  /// The status that run.json tells, and what the run ended with; nil where there is no run.json. Collective.
  private func recordedEnd(over ranks: borrowing Communicator) throws -> RecordedEnd? {
    let isRoot = ranks.isRoot
    let path = path(of: "run.json")
    let text = try ranks.agree { () -> String in
      guard isRoot, isReadable(path) else { return "" }
      let file = try InputFile(path)
      return String(decoding: try file.bytes(min(file.size, 4096)), as: UTF8.self)
    }
    return RecordedEnd(try ranks.broadcast(text))
  }
}
