import Settings

/// `stop.time_limit`: until when a run may go on.
public enum TimeLimit: Sendable, Equatable {
  /// So many seconds after the program's start.
  case seconds(Double)
  /// Until the Slurm job ends.
  case slurm
}

extension ValueKind where Value == TimeLimit {
  /// A duration, or "auto".
  static var timeLimit: ValueKind {
    let duration = ValueKind<Double>.duration
    return ValueKind(expected: "\(duration.expected), or \"auto\"") {
      $0 == .text("auto") ? .slurm : duration.read($0).map { .seconds($0) }
    } write: {
      switch $0 {
      case .seconds(let seconds): duration.write(seconds)
      case .slurm: .text("auto")
      }
    }
  }
}
