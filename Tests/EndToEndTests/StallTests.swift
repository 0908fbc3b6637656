import Foundation
import TestSupport
import Testing

/// A rank that keeps the others waiting is named, and the job does what it was told to.
@Suite struct StallTests {
  /// A training without end, once it has evaluated an iterate.
  private func training(
    _ directory: borrowing TemporaryDirectory, ranks: Int, _ settings: [String]
  ) throws -> Running {
    let configuration = try directory.configuration(data: "synthetic = 600")
    let options = ["training.iterations=100000000", "output.evaluate_every=20"] + settings
    let job = try Program.start(ranks: ranks, [configuration] + options.flatMap { ["--set", $0] }, limit: 90)
    let isTraining = directory.waitForIteration(of: job)
    let (isRunning, output) = (job.isRunning, job.output)
    try #require(isTraining && isRunning, "no iteration within a minute: \(output)")
    return job
  }

  /// Its processes, in the order of the ranks.
  private func processes(_ job: borrowing Running, ranks: Int) throws -> [pid_t] {
    let processes = job.descendants(named: "admm-mpi")
    try #require(processes.count == ranks)
    return processes
  }

  private static let host = ProcessInfo.processInfo.hostName

  /// One rank of three is stopped, the first or another: within seconds it is named, the job ends with 75, and none of
  /// its processes is left, not the stopped one either.
  @Test(arguments: [0, 1, 2]) func aStoppedRankEndsTheJob(victim: Int) throws {
    let directory = try TemporaryDirectory()
    let job = try training(directory, ranks: 3, ["stop.stall_limit=2", "stop.stall_action=end"])
    let processes = try processes(job, ranks: 3)
    // Its watchdog has said a word of its training.
    Thread.sleep(forTimeInterval: 1)
    kill(processes[victim], SIGSTOP)
    let ended = job.outcome(within: 20)
    for process in processes where ended == nil { kill(process, SIGKILL) }
    let outcome = try #require(ended, "the job goes on")
    #expect(outcome.status == 75, "\(outcome.transcript)")
    let place = "last in phase "
    #expect(
      outcome.errors.contains("  rank \(victim) on \(Self.host): nothing is heard of it; \(place)"),
      "\(outcome.transcript)")
    #expect(outcome.errors.contains("1 of 3 ranks has not arrived"), "\(outcome.transcript)")
    #expect(outcome.errors.components(separatedBy: "admm-mpi: error").count == 2, "\(outcome.transcript)")
    let isGone = wait(atMost: 10) { processes.allSatisfy { kill($0, 0) != 0 } }
    #expect(isGone, "a process is left")
    // What was learnt is there, and the directory is free for the next start.
    #expect(!directory.bytes("run/model.h5").isEmpty)
  }

  /// It only warns: the rank is named, goes on when it may, and the run ends as if nothing had been.
  @Test func aWarningLetsTheJobGoOn() throws {
    let directory = try TemporaryDirectory()
    let job = try training(directory, ranks: 3, ["stop.stall_limit=1"])
    let processes = try processes(job, ranks: 3)
    kill(processes[1], SIGSTOP)
    let isTold = wait(atMost: 20) { job.errors.contains("rank 1 on \(Self.host): nothing is heard of it") }
    #expect(isTold, "\(job.errors)")
    kill(processes[1], SIGCONT)
    let goesOn = wait(atMost: 20) { job.errors.contains("there is progress again") }
    #expect(goesOn, "\(job.errors)")
    kill(processes[0], SIGUSR1)
    let ended = job.outcome(within: 30)
    for process in processes where ended == nil { kill(process, SIGKILL) }
    let outcome = try #require(ended, "the job goes on")
    #expect(outcome.status == 75, "\(outcome.transcript)")
    let result = try directory.result()
    #expect(result.status == "interrupted")
    #expect(result.warnings.contains { $0.contains("1 of 3 ranks has not arrived") }, "\(result.warnings)")
    #expect(!FileManager.default.fileExists(atPath: directory.path("run/.admm-mpi.ranks")))
  }

  /// Nobody waits: nothing is said, and a rank that only computes for long says nothing either.
  @Test(arguments: [nil, 2]) func undisturbedRunsSayNothing(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 30000")
    let outcome = try Program.run(
      ranks: ranks,
      [configuration, "--set", "stop.stall_limit=5", "--set", "stop.stall_action=end"], limit: 90)
    #expect(outcome.status == 0 && !outcome.errors.contains("no progress"), "\(outcome.transcript)")
  }
}
