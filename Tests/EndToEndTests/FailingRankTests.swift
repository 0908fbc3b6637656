import Foundation
import TestSupport
import Testing

/// A job of which one rank dies ends at once, and says so by its status.
@Suite struct FailingRankTests {
  @Test(arguments: [2, 3], [0, 1])
  func aRankThatIsKilledEndsTheJob(ranks: Int, victim: Int) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(3_000, seed: 1).csv)
    let job = try Program.start(
      ranks: ranks,
      [
        directory.configuration(train: train), "--set", "training.iterations=100000000", "--set",
        "output.evaluate_every=100",
      ], limit: 90)
    let isTraining = wait(atMost: 60) { !job.isRunning || !directory.bytes("run/iterations.jsonl").isEmpty }
    let (isRunning, output) = (job.isRunning, job.output)
    try #require(isTraining && isRunning, "no iteration within a minute: \(output)")
    let processes = job.descendants(named: "admm-mpi")
    try #require(processes.count == ranks)

    kill(processes[victim], SIGKILL)
    let ended = job.outcome(within: 10)
    let outcome = try #require(ended, "the job went on for 10 s")
    #expect(outcome.status != 0)
    let left = job.descendants(named: "admm-mpi")
    #expect(left.isEmpty)
  }
}
