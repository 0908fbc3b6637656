import Basics
import Configuration
import MPI
import Networks
import Reports

/// What a batch script is asked for.
public struct JobRequest: Sendable {
  public var nodes: Int
  /// Ranks on a node; nil for as many as its cores have room for, if it is like this one.
  public var tasksPerNode: Int?
  /// Threads of a rank; nil for those of the configuration.
  public var cpusPerTask: Int?
  /// As Slurm writes it; nil for what the estimate says.
  public var time: String?
  public var partition: String?
  public var account: String?
  public var launcher: JobLauncher
  /// The numbers of a job array, as Slurm writes them.
  public var array: String?
  public var isRequeued: Bool

  public init(
    nodes: Int, tasksPerNode: Int?, cpusPerTask: Int?, time: String?, partition: String?, account: String?,
    launcher: JobLauncher, array: String?, isRequeued: Bool
  ) {
    self.nodes = nodes
    self.tasksPerNode = tasksPerNode
    self.cpusPerTask = cpusPerTask
    self.time = time
    self.partition = partition
    self.account = account
    self.launcher = launcher
    self.array = array
    self.isRequeued = isRequeued
  }
}

/// Prints a batch script for Slurm that trains by a configuration, with the memory that a node needs and the time that
/// the iterations will take. Collective; of use on one rank.
///
/// - Parameters:
///   - file: the configuration's file, as the script is to name it.
///   - settings: what `--set` replaces, as the script is to say it.
/// - Throws: a shared `Failure` where training would throw one, or where there is no estimate to take the time from.
public func slurm(
  _ configuration: Configuration, from file: String, settings: [String], _ request: JobRequest,
  over ranks: borrowing Communicator
) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  let prospect = try Prospect(configuration, over: ranks)
  let threads = request.cpusPerTask ?? configuration.training.threadsPerRank
  let tasks = request.tasksPerNode ?? max(Cores.online().count / threads, 1)
  // Made-up samples may be ones that the method can't learn from.
  let speed = try? IterationSpeed(configuration, prospect.network, over: ranks)
  let estimate = JobEstimate(
    configuration, prospect, ranks: request.nodes * tasks, threads: threads, speed: speed)
  guard let time = request.time ?? estimate.time else {
    throw Failure(
      .usage, "There is no estimate of the time: say how long the job may take, such as --time 01:00:00.",
      isShared: true)
  }
  var script = JobScript(
    program: CommandLine.arguments[0], configuration: file, settings: settings, nodes: request.nodes,
    tasksPerNode: tasks, cpusPerTask: threads, memory: estimate.bytes.map { mebibytes(Double(tasks) * $0) },
    time: time, notice: estimate.notice, partition: request.partition, account: request.account,
    launcher: request.launcher, array: request.array, isRequeued: request.isRequeued)
  script.remarks = remarks(script, estimate)
  guard script.lines.allSatisfy({ !$0.contains("\n") }) else {
    throw Failure(
      .usage, "A word of the command line has a line break, which no comment can hold.", isShared: true)
  }
  console.print(script.lines)
  return .done
}

/// In steps of 100 MiB.
private func mebibytes(_ bytes: Double) -> Int {
  Int(min((bytes / 1024 / 1024 / 100).rounded(.up) * 100, 1e15))
}

/// The comment at the head of the script.
private func remarks(_ script: JobScript, _ estimate: JobEstimate) -> [String] {
  let each = "\(counted(script.tasksPerNode, "rank")) × \(counted(script.cpusPerTask, "thread"))"
  let tasks =
    script.array == nil ? [] : ["Each task of the array is a run, with the task's number for a seed."]
  let again = script.isRequeued ? ["A job whose time is over is queued again, and goes on."] : []
  return ["Trains \(script.configuration) on \(counted(script.nodes, "node")) of \(each)."] + tasks + again
    + [
      "Made to be read and changed, by", "",
      "  " + commandLine(CommandLine.arguments), "",
      "Words after the script's name go to the program: sbatch SCRIPT --set training.iterations=20. From the environment:",
      "CONFIG, another configuration; ADMM_MPI, the program; LAUNCHER=srun, ranks started by Slurm itself.",
      "docs/clusters.md tells more.", "",
    ] + estimate.lines
}
