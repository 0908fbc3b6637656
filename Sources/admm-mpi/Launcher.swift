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
    let isRefused = (own?.processes ?? 1) > 1 && wholeNumber(in: singleton) != 1
    if let own, own.isSlurmWithoutPMI, Job.libraryVersion().hasPrefix("Open MPI") {
      guard !isRefused else { refuse() }
      // By this variable Open MPI 4 knows the step of a job, and ends a process that finds no PMI there.
      unsetenv("SLURM_NODELIST")
    }
    let job = try Job()
    guard !isRefused || job.world.size > 1 else {
      try job.finalize()
      refuse()
    }
    return job
  }

  private static let singleton = "ADMM_SINGLETON"

  /// Whether srun has started this process, and has nothing to tell an MPI library.
  private var isSlurmWithoutPMI: Bool {
    variable == "SLURM_STEP_NUM_TASKS" && getenv("PMIX_NAMESPACE") == nil && getenv("PMI_FD") == nil
  }

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
