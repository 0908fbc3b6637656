import Files
import Reports

/// A batch script for Slurm that trains by a configuration.
struct JobScript {
  /// What it does, and how it was made: comment lines.
  var remarks: [String] = []
  /// How the program is called.
  var program: String
  /// The configuration's file.
  var configuration: String
  /// More settings, as `--set` takes them.
  var settings: [String]
  var nodes: Int
  /// Ranks on a node.
  var tasksPerNode: Int
  /// Threads of a rank.
  var cpusPerTask: Int
  /// MiB of a node; nil where nobody knows.
  var memory: Int?
  /// As Slurm writes it.
  var time: String
  /// How many seconds before its end the job is told.
  var notice: Int
  var partition: String?
  var account: String?
  /// What starts the ranks unless `LAUNCHER` in the environment says otherwise.
  var launcher: JobLauncher
  /// The numbers of a job array, as Slurm writes them.
  var array: String?
  /// Whether a job whose time is over goes on as another.
  var isRequeued: Bool

  /// The file, without the last line's end.
  var lines: [String] {
    ["#!/bin/bash"] + remarks.map { $0.isEmpty ? "#" : "# \($0)" } + options.map { "#SBATCH --\($0)" }
      + setting + [""] + launch + [""] + run + [""] + end
  }

  private var options: [String] {
    let all: [String?] = [
      "job-name=\(commandLine([stem(of: configuration)]))",
      partition.map { "partition=\($0)" }, account.map { "account=\($0)" }, array.map { "array=\($0)" },
      "nodes=\(nodes)", "ntasks=\(nodes * tasksPerNode)", "ntasks-per-node=\(tasksPerNode)",
      "cpus-per-task=\(cpusPerTask)", "threads-per-core=1", memory.map { "mem=\($0)M" }, "time=\(time)",
      "signal=B:USR1@\(notice)", isRequeued ? "requeue" : nil, "open-mode=append",
      array == nil ? "output=%x-%j.out" : "output=%x-%A-%a.out",
    ]
    return all.compactMap { $0 }
  }

  private var setting: [String] {
    let job = array == nil ? "$SLURM_JOB_ID" : "$SLURM_ARRAY_JOB_ID/$SLURM_ARRAY_TASK_ID"
    return """
      set -euo pipefail

      # What the program was built with, where modules have it:
      # module load openmpi openblas hdf5

      program=${ADMM_MPI:-\(commandLine([program]))}
      config=${CONFIG:-\(commandLine([configuration]))}
      run=runs/$(basename "$config" .toml)-\(job)
      threads=${SLURM_CPUS_PER_TASK:-1}

      # The threads are the program's own; a BLAS call has one.
      export OPENBLAS_NUM_THREADS=1
      # A host that is cut off is noticed within seconds, and ranks that mpirun ends have time to save.
      export OMPI_MCA_oob_tcp_keepalive_time=5 OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=3
      export OMPI_MCA_odls_base_sigkill_timeout=5
      # Where other programs share the cores, ranks that wait should make way:
      # export OMPI_MCA_mpi_yield_when_idle=1
      """.lines
  }

  private var launch: [String] {
    """
    # So many ranks as there are tasks, each bound to cores of its own for its threads.
    case ${LAUNCHER:-\(launcher.rawValue)} in
      mpirun) launch=(mpirun -n "$SLURM_NTASKS" --map-by "slot:pe=$threads" --bind-to core) ;;
      srun) launch=(srun --mpi=pmix --cpus-per-task="$threads" --cpu-bind=cores) ;;
    esac
    """.lines
  }

  private var run: [String] {
    let seed = array == nil ? [] : [#"training.seed="$SLURM_ARRAY_TASK_ID""#]
    let words = [#"training.threads_per_rank="$threads""#] + seed + settings.map { commandLine([$0]) }
    let more = words.map { "--set \($0)" }.joined(separator: " ")
    return """
      # In the background, so that this shell hears Slurm: USR1 before the time is over, TERM from scancel. Told by
      # USR1, the ranks finish their iteration, save, and end with status 75. A run that had begun is gone on with.
      "${launch[@]}" "$program" "$config" --output "$run" --resume \\
        \(more) "$@" &
      ranks=$!
      tell() { kill -USR1 $ranks 2> /dev/null || true; }
      trap tell USR1
      trap 'cancelled=yes; tell' TERM

      # A signal ends `wait` early.
      while kill -0 $ranks 2> /dev/null; do wait $ranks || true; done
      wait $ranks && status=0 || status=$?
      """.lines
  }

  private var end: [String] {
    let requeue = """
      # The time was over before the work: the same job again, unless it was cancelled.
      if [[ $status == 75 && -z ${cancelled:-} ]]; then scontrol requeue "$SLURM_JOB_ID"; fi
      """.lines
    return (isRequeued ? requeue : []) + ["exit $status"]
  }
}

/// What starts the ranks of a job.
public enum JobLauncher: String, Sendable, CaseIterable { case mpirun, srun }

extension String {
  fileprivate var lines: [String] {
    split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}
