import MPI

/// The MPI job of a test process, started at first use.
///
/// Swift Testing runs tests on pool threads, one at a time under `--no-parallel`, hence `.serialized`.
public enum TestWorld {
  private struct Holder: ~Copyable {
    let job: Job
  }

  nonisolated(unsafe) private static let holder: Holder = {
    do { return Holder(job: try Job(threading: .serialized)) } catch { fatalError("\(error)") }
  }()

  /// Calls `body` with the communicator of all ranks of this test run.
  public static func with<T>(_ body: (borrowing Communicator) throws -> T) rethrows -> T {
    try body(holder.job.world)
  }
}
