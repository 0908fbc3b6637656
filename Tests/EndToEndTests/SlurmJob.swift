import Foundation
import TestSupport
import Testing

/// A batch job of a real Slurm. Whoever submits one cancels it, should it still be there at the end.
struct SlurmJob: ~Copyable {
  let id: String

  /// Whether there is a Slurm with an idle node.
  static let isPossible: Bool = {
    let idle = try? Program.run(command: ["sinfo", "--noheader", "--states=idle", "--format=%n"])
    return idle.map { $0.status == 0 && !$0.output.isEmpty } ?? false
  }()

  /// Submits a script of jobs/ for a configuration on one node, to run in `directory`.
  ///
  /// - Parameters:
  ///   - launcher: mpirun or srun.
  ///   - options: of sbatch; the last of equal ones counts.
  ///   - arguments: what follows the script's name.
  init(
    _ script: String, launcher: String = "mpirun", configuration: String, _ options: [String] = [],
    arguments: [String] = [], in directory: borrowing TemporaryDirectory
  ) throws {
    let outcome = try Program.run(
      command: [
        // Ranks that wait make way: the tests may run on the same cores.
        "env", "OMPI_MCA_mpi_yield_when_idle=1", "LAUNCHER=\(launcher)", "ADMM_MPI=\(Program.path)",
        "CONFIG=\(configuration)",
        "sbatch", "--parsable", "--chdir=\(directory.path(""))",
        "--nodes=1", "--ntasks=2", "--ntasks-per-node=2", "--mem=0",
      ] + options + [Program.root.appending(path: "jobs/\(script).slurm").path(percentEncoded: false)]
        + arguments)
    try #require(outcome.status == 0, "\(outcome.transcript)")
    id = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit { _ = try? Program.run(command: ["scancel", "--quiet", id]) }

  /// Such as "JobState", "ExitCode" or "Restarts", of the first of an array's tasks.
  func field(_ name: String) throws -> String {
    let outcome = try Program.run(command: ["scontrol", "show", "job", "--oneliner", id])
    try #require(outcome.status == 0, "\(outcome.transcript)")
    let fields = outcome.output.split(whereSeparator: \.isWhitespace)
    return fields.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
  }

  /// Waits for the end of the job, or of the last of an array's tasks, and returns the exit status of its script. A job
  /// that waits after it was queued again starts at once.
  func status(within seconds: Double = 120) throws -> Int32 {
    let end = Date(timeIntervalSinceNow: seconds)
    // A job that is being queued again looks like one that has ended, for a moment.
    var looks = 0
    while looks < 4 {
      looks = try isOver() ? looks + 1 : 0
      let (state, reason) = (try field("JobState"), try field("Reason"))
      try #require(Date() < end, "job \(id) is \(state), \(reason)")
      if reason == "BeginTime" { try control("update", "JobId=\(id)", "StartTime=now") }
      Thread.sleep(forTimeInterval: 0.5)
    }
    return try Int32(field("ExitCode").prefix { $0 != ":" }) ?? -1
  }

  private func isOver() throws -> Bool {
    let queued = try Program.run(
      command: ["squeue", "--noheader", "--states=all", "--format=%T", "--job=\(id)"])
    let states = queued.output.split(whereSeparator: \.isWhitespace)
    return !states.isEmpty
      && states.allSatisfy { ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"].contains($0) }
  }

  /// `scontrol` with these words.
  func control(_ words: String...) throws {
    let outcome = try Program.run(command: ["scontrol"] + words)
    try #require(outcome.status == 0, "\(outcome.transcript)")
  }

  /// `scancel` with these options.
  func cancel(_ options: String...) throws {
    let outcome = try Program.run(command: ["scancel"] + options + [id])
    try #require(outcome.status == 0, "\(outcome.transcript)")
  }
}

extension TemporaryDirectory {
  /// What the jobs that run here have printed, for the message of a test that fails.
  var jobOutput: String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path(""))) ?? []
    return names.filter { $0.hasSuffix(".out") }.sorted().map { text($0) }.joined()
  }
}
