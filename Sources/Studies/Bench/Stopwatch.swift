import Basics
import MPI
import Reports

/// Times calls on all ranks at once.
struct Stopwatch {
  /// How long one measurement goes on at the least.
  let seconds: Double

  /// The fewest samples of a measurement.
  private static let samples = 5
  /// A sample has as many calls as fit into this time, that reading the clock costs nothing.
  private static let sampleSeconds = 1e-3

  /// The seconds of a call of `body` on each rank, the median of five samples or more, while all ranks call theirs.
  /// Collective.
  ///
  /// - Parameter body: local work, the same on all ranks.
  func time(over ranks: borrowing Communicator, _ body: () -> Void) throws(MPIError) -> [Double] {
    // The first call touches memory and fills caches.
    body()
    let calls = Self.calls(in: Self.sampleSeconds, each: elapsed(1, body))
    try ranks.barrier()
    var samples: [Double] = []
    let start = monotonicSeconds()
    repeat {
      samples.append(elapsed(calls, body) / Double(calls))
    } while samples.count < Self.samples || monotonicSeconds() - start < seconds
    return try ranks.gather([Spread(samples).median]).map { $0[0] }
  }

  /// The same for a collective `body`, which all ranks call equally often.
  func timeCollective(
    over ranks: borrowing Communicator, _ body: () throws(MPIError) -> Void
  ) throws(MPIError) -> [Double] {
    try body()
    let once = try ranks.max(elapsed(3, body) / 3)
    let calls = Self.calls(in: Self.sampleSeconds, each: once)
    let count = max(Self.calls(in: seconds, each: once * Double(calls)), Self.samples)
    try ranks.barrier()
    var samples: [Double] = []
    for _ in 0..<count { samples.append(try elapsed(calls, body) / Double(calls)) }
    return try ranks.gather([Spread(samples).median]).map { $0[0] }
  }

  private static func calls(in seconds: Double, each: Double) -> Int {
    Int(min(max(seconds / max(each, 1e-9), 1), 1e6))
  }
}

/// The seconds that so many calls of `body` take together; more than 0, whatever the clock's grain.
private func elapsed<E: Error>(_ calls: Int, _ body: () throws(E) -> Void) throws(E) -> Double {
  let start = monotonicSeconds()
  for _ in 0..<calls { try body() }
  return max(monotonicSeconds() - start, 1e-9)
}
