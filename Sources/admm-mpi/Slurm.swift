import ArgumentParser
import Basics
import Configuration
import MPI
import Runs

/// `admm-mpi slurm CONFIG --nodes N`.
struct Slurm: Subcommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a batch script for Slurm that trains by a configuration.",
    discussion: """
      With the memory that a node needs, as --check predicts it, and the time that the iterations take at this \
      machine's speed, measured on a few made-up samples. Nothing is trained or submitted.

      Examples:
        admm-mpi slurm configs/higgs-full-synthetic.toml --nodes 4 --tasks-per-node 64 --requeue > job.slurm
        admm-mpi slurm mine.toml --tasks-per-node 8 --cpus-per-task 4 --time 02:00:00 --array 1-5 > job.slurm
      """)

  @Argument(help: "The configuration, a TOML file.", completion: .file(extensions: ["toml"]))
  var config: String

  @Option(name: .customLong("set"), help: .replacing("taylor.beta=2"))
  var settings: [String] = []

  @Option(help: ArgumentHelp("How many nodes.", valueName: "n"))
  var nodes = 1

  @Option(help: ArgumentHelp("Ranks on a node; as many as this machine has cores for.", valueName: "n"))
  var tasksPerNode: Int?

  @Option(help: ArgumentHelp("Threads of a rank; training.threads_per_rank otherwise.", valueName: "n"))
  var cpusPerTask: Int?

  @Option(
    help: ArgumentHelp(
      "The job's limit, as in 02:00:00 or 1-12; by the estimate otherwise.", valueName: "time"))
  var time: String?

  @Option(help: ArgumentHelp("Where the job goes.", valueName: "name"))
  var partition: String?

  @Option(help: ArgumentHelp("Who pays.", valueName: "name"))
  var account: String?

  @Option(help: "What starts the ranks.")
  var launcher = JobLauncher.mpirun

  @Option(help: ArgumentHelp("A job array: a run for each of these seeds, as in 1-5.", valueName: "seeds"))
  var array: String?

  @Flag(help: "Queue the job again when its time is over before the work.")
  var requeue = false

  func validate() throws {
    guard (1...1_000_000).contains(nodes), (1...10_000).contains(tasksPerNode ?? 1),
      (1...10_000).contains(cpusPerTask ?? 1)
    else {
      throw ValidationError(
        "--nodes is from 1 to 1000000, --tasks-per-node and --cpus-per-task from 1 to 10000.")
    }
    try check("--time", time, as: /(?:\d+-)?\d+(?::\d\d){0,2}/, "minutes, HH:MM:SS or D-HH:MM:SS")
    try check("--array", array, as: /[\d,:%-]*\d/, "numbers, as in 1-5, 1,3 or 0-9%2")
    try check("--partition", partition, as: /[\w.,@-]+/, "a name")
    try check("--account", account, as: /[\w.@-]+/, "a name")
  }

  private func check(_ option: String, _ text: String?, as pattern: Regex<Substring>, _ expected: String)
    throws
  {
    guard let text, text.wholeMatch(of: pattern) == nil else { return }
    throw ValidationError("\(option) \(text): expected \(expected).")
  }

  func run(over ranks: borrowing Communicator) throws -> ExitStatus {
    try Runs.slurm(
      Configuration.read(config, settings: settings, over: ranks), from: config, settings: settings,
      JobRequest(
        nodes: nodes, tasksPerNode: tasksPerNode, cpusPerTask: cpusPerTask, time: time, partition: partition,
        account: account, launcher: launcher, array: array, isRequeued: requeue),
      over: ranks)
  }
}

extension JobLauncher: ExpressibleByArgument {}
