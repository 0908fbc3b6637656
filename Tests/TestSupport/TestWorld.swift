import Glibc
import MPI

/// The MPI job of a test process, started at first use and ended with the process.
///
/// Swift Testing runs tests on pool threads, one at a time under `--no-parallel`, hence `.serialized`.
public enum TestWorld {
  nonisolated(unsafe) private static var job: Job? = {
    do {
      let job = try Job(threading: .serialized)
      // mpirun takes a process that leaves without a word for one that failed.
      atexit { TestWorld.finalize() }
      return job
    } catch {
      fatalError("\(error)")
    }
  }()

  private static func finalize() {
    try? job.take()?.finalize()
  }

  /// Calls `body` with the communicator of all ranks of this test run.
  public static func with<T>(_ body: (borrowing Communicator) throws -> T) rethrows -> T {
    switch job {
    case .some(let job): return try body(job.world)
    case .none: fatalError("MPI has ended")
    }
  }
}
