import CMPI
import Glibc

/// The life of MPI in this process: from `MPI_Init_thread` to `MPI_Finalize`.
///
/// There is at most one at a time. After an error nobody finalises, because `MPI_Finalize` waits for all ranks: call
/// `Communicator.abort`, or `finalize()` when every rank leaves in the same way.
public struct Job: ~Copyable {
  /// Which threads may call MPI.
  public enum Threading {
    /// Only the thread that made the job.
    case funneled
    /// Any thread, one at a time.
    case serialized

    var level: CInt {
      switch self {
      case .funneled: mpi_thread_funneled()
      case .serialized: mpi_thread_serialized()
      }
    }
  }

  /// All ranks of the job: a duplicate of `MPI_COMM_WORLD` whose errors are returned, not fatal.
  public let world: Communicator

  /// Starts MPI. Collective over all processes of the job; MPI 3.1, section 12.4.3.
  public init(threading: Threading = .funneled) throws(MPIError) {
    var provided: CInt = 0
    try check(mpi_init_thread(threading.level, &provided), "MPI_Init_thread")
    try check(mpi_comm_set_errors_return(mpi_comm_world()), "MPI_Comm_set_errhandler")
    guard provided >= threading.level else {
      throw MPIError(
        call: "MPI_Init_thread", code: 0,
        message: "this MPI library offers thread level \(provided), \(threading.level) is needed")
    }
    world = try Communicator(duplicating: mpi_comm_world())
  }

  /// Ends MPI: all ranks wait for each other. Collective.
  public consuming func finalize() throws(MPIError) {
    try world.free()
    try check(mpi_finalize(), "MPI_Finalize")
  }

  /// The MPI library's name and version: "Open MPI v4.1.4", "MPICH Version: 4.0.2". Local, legal at any time.
  public static func libraryVersion() -> String {
    let all = text(capacity: mpi_max_library_version_string(), mpi_get_library_version).text
    let first = all.prefix { $0 != "\n" && $0 != "," }
    return first.isEmpty
      ? "unknown MPI library" : first.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
