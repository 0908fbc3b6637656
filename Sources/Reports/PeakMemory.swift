import Glibc
import MPI

/// The most memory that the ranks have had in use so far, in bytes.
public struct PeakMemory: Sendable, Equatable {
  /// Of the rank that had most.
  public let max: Int
  /// Of all ranks together.
  public let sum: Int

  public init(max: Int, sum: Int) {
    self.max = max
    self.sum = sum
  }

  /// Asks all ranks. Collective.
  public init(over ranks: borrowing Communicator) throws(MPIError) {
    var usage = rusage()
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    // Linux counts in KiB.
    let own = usage.ru_maxrss * 1024
    self.init(max: try ranks.max(own), sum: try ranks.sum(own))
  }

  public var text: String { "\(bytes(max)) a rank at most, \(bytes(sum)) in all" }
}
