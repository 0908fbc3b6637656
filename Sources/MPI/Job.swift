import COpenMPI
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
      case .funneled: shim_thread_funneled()
      case .serialized: shim_thread_serialized()
      }
    }
  }

  /// All ranks of the job: a duplicate of `MPI_COMM_WORLD` whose errors are returned, not fatal.
  public let world: Communicator

  /// Starts MPI. Collective over all processes of the job; MPI 3.1, section 12.4.3.
  public init(threading: Threading = .funneled) throws(MPIError) {
    var provided: CInt = 0
    try check(MPI_Init_thread(nil, nil, threading.level, &provided), "MPI_Init_thread")
    try check(
      MPI_Comm_set_errhandler(shim_comm_world(), shim_errors_return()), "MPI_Comm_set_errhandler")
    guard provided >= threading.level else {
      throw MPIError(
        call: "MPI_Init_thread", code: 0,
        message: "this MPI library offers thread level \(provided), \(threading.level) is needed")
    }
    world = try Communicator(duplicating: shim_comm_world())
  }

  /// Ends MPI: all ranks wait for each other. Collective.
  public consuming func finalize() throws(MPIError) {
    world.free()
    try check(MPI_Finalize(), "MPI_Finalize")
  }

  /// The MPI library's name and version, its first line. Local, legal at any time.
  public static func libraryVersion() -> String {
    var length: CInt = 0
    let bytes = [CChar](unsafeUninitializedCapacity: Int(shim_max_library_version()) + 1) { buffer, count in
      buffer.initialize(repeating: 0)
      count = buffer.count
      if let base = buffer.baseAddress { MPI_Get_library_version(base, &length) }
    }
    let all = text(bytes, length: length)
    return String(all.prefix { $0 != "\n" && $0 != "," })
  }
}
