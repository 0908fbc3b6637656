import Foundation
import TestSupport
import Testing

/// Jobs that end before the work does: what the next one goes on from has the bits of a run that nobody stopped.
@Suite(.serialized, .enabled("needs a Slurm with an idle node") { SlurmJob.isPossible })
struct SlurmInterruptionTests {
  /// Iterations that take about so many seconds, by a short run.
  private static func iterations(seconds: Double) throws -> Int {
    let directory = try TemporaryDirectory()
    let configuration = try configuration(in: directory)
    let outcome = try Program.run(ranks: nil, [configuration, "--set", "training.iterations=20"])
    try #require(outcome.status == 0, "\(outcome.transcript)")
    return max(Int(seconds / (try directory.result().seconds.perIteration)), 60)
  }

  private static func configuration(in directory: borrowing TemporaryDirectory) throws -> String {
    try directory.configuration(data: "synthetic = 5000")
  }

  /// What an interruption is tried on: a job of so many seconds, and the run that nobody interrupts.
  private struct Trial: ~Copyable {
    let directory: TemporaryDirectory
    let job: SlurmJob
    let weights: String

    var run: String { "runs/config-\(job.id)" }

    init(_ launcher: String, seconds: Double, _ options: [String] = []) throws {
      let directory = try TemporaryDirectory()
      let configuration = try SlurmInterruptionTests.configuration(in: directory)
      let iterations = try SlurmInterruptionTests.iterations(seconds: seconds)
      let arguments = ["--set", "training.iterations=\(iterations)", "--set", "output.evaluate_every=50"]
      let alone = try Program.run(ranks: nil, [configuration] + arguments, limit: 600)
      try #require(alone.status == 0, "\(alone.transcript)")
      let weights = try directory.result().weightsSha256
      let job = try SlurmJob(
        "requeue", launcher: launcher, configuration: configuration, options,
        arguments: arguments + ["--set", "checkpoint.every_iterations=5"], in: directory)
      self.weights = weights
      self.job = job
      self.directory = directory
    }

    /// Waits until the job has left a checkpoint.
    func waitForCheckpoint() throws {
      let path = directory.path(run + "/checkpoints")
      let hasOne = wait(atMost: 60) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.contains { $0.hasSuffix(".h5") }
      }
      try #require(hasOne, "no checkpoint: \(directory.jobOutput)")
    }

    /// That the job has come to its end, after so many restarts, with the weights of the run that nobody interrupted.
    func expectDone(restarts: ClosedRange<Int>, within seconds: Double = 120) throws {
      #expect(try job.status(within: seconds) == 0, "\(directory.jobOutput)")
      #expect(restarts.contains(try Int(job.field("Restarts")) ?? -1), "\(directory.jobOutput)")
      let result = try directory.result(run)
      #expect(result.status == "max_iterations")
      #expect(result.weightsSha256 == weights)
    }
  }

  /// USR1 to the script, as `--signal=B:USR1@120` sends it before a job's end.
  @Test(arguments: ["mpirun", "srun"])
  func aSignalToTheScript(_ launcher: String) throws {
    let trial = try Trial(launcher, seconds: 8)
    try trial.waitForCheckpoint()
    try trial.job.cancel("--batch", "--signal=USR1")
    try trial.expectDone(restarts: 1...1)
  }

  /// USR1 to the ranks themselves, as `--signal=USR1@120` sends it where srun has started them.
  @Test func aSignalToTheRanks() throws {
    let trial = try Trial("srun", seconds: 8)
    try trial.waitForCheckpoint()
    try trial.job.cancel("--signal=USR1")
    try trial.expectDone(restarts: 1...1)
  }

  /// As an administrator, a node's failure or preemption does it.
  @Test(arguments: ["mpirun", "srun"])
  func aRequeueFromOutside(_ launcher: String) throws {
    let trial = try Trial(launcher, seconds: 8)
    try trial.waitForCheckpoint()
    try trial.job.control("requeue", trial.job.id)
    try trial.expectDone(restarts: 1...1)
  }

  /// A cancelled job is not queued again; what it had learnt is there to go on from.
  @Test(arguments: ["mpirun", "srun"])
  func aCancelledJob(_ launcher: String) throws {
    let trial = try Trial(launcher, seconds: 8)
    try trial.waitForCheckpoint()
    try trial.job.cancel()
    _ = try trial.job.status()
    #expect(try trial.job.field("JobState") == "CANCELLED", "\(trial.directory.jobOutput)")
    #expect(try trial.job.field("Restarts") == "0", "\(trial.directory.jobOutput)")
    let resumed = try Program.run(ranks: 1, ["resume", trial.directory.path(trial.run)], limit: 240)
    #expect(resumed.status == 0, "\(resumed.transcript)")
    #expect(try trial.directory.result(trial.run).weightsSha256 == trial.weights)
  }

  /// A job of two minutes for a work that takes longer than it is given: its script hears of the end, and queues it
  /// again until it is done. Slurm may tell up to a minute early.
  @Test func aJobThatReachesItsLimit() throws {
    let trial = try Trial("mpirun", seconds: 90, ["--time=2", "--signal=B:USR1@60"])
    try trial.expectDone(restarts: 1...20, within: 900)
  }
}
