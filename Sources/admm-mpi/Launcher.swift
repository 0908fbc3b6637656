import Basics
import Glibc
import MPI

/// What started this process among others, as far as the environment tells.
struct Launcher {
  /// How many processes it started.
  let processes: Int
  /// Which of them this is.
  let number: Int
  /// The variable that tells how many there are.
  private let variable: String

  /// The launcher nearest to this process; nil where it was started by itself.
  static let own: Launcher? = {
    let variables = [
      ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"),
      ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ]
    for (size, rank) in variables {
      guard let processes = wholeNumber(in: size) else { continue }
      return Launcher(processes: processes, number: wholeNumber(in: rank) ?? 0, variable: size)
    }
    return nil
  }()

  /// Whether this process, of all that were started together, is to say what all would say. Before MPI begins.
  static var speaks: Bool { own.map { $0.number == 0 } ?? true }

  /// Starts MPI, and ends this process with `usage` where the launcher belongs to another MPI library: then each of
  /// several processes would be a job of its own, and all would do the same work into the same files. One of them
  /// says so. `ADMM_SINGLETON=1` in the environment means that it is to be so.
  static func start() throws(MPIError) -> Job {
    // Open MPI 4 ends the process itself where it finds a Slurm step and no PMIx.
    let isAlone = own.map { $0.processes < 2 } ?? true
    if !isAlone { atexit { if Launcher.isStarting { Launcher.refuse() } } }
    isStarting = true
    defer { isStarting = false }
    let job = try Job()
    guard isAlone || job.world.size > 1 || wholeNumber(in: singleton) == 1 else {
      try job.finalize()
      refuse()
    }
    return job
  }

  private static let singleton = "ADMM_SINGLETON"

  /// Whether MPI is about to begin. There is one thread.
  nonisolated(unsafe) private static var isStarting = false

  /// Ends this process. One says why; the others give it the time to, since a launcher may end all when one ends.
  private static func refuse() -> Never {
    if let own, speaks {
      write(
        "admm-mpi: error: \(own.processes) processes were started (\(own.variable)), but by no launcher that "
          + "\(Job.libraryVersion()) knows: each would be a job of its own. Use srun --mpi=pmix, or this library's "
          + "own mpirun; \(singleton)=1 in the environment for runs that have nothing to do with each other.\n",
        to: STDERR_FILENO)
    } else {
      sleep(3)
    }
    _exit(ExitStatus.usage.rawValue)
  }

  private static func wholeNumber(in variable: String) -> Int? {
    getenv(variable).flatMap { Int(String(cString: $0)) }
  }
}
