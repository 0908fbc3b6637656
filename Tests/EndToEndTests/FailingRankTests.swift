import Foundation
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
    try #require(isTraining && job.isRunning, "no iteration within a minute: \(job.output)")
    let processes = job.descendants(named: "admm-mpi")
    try #require(processes.count == ranks)

    kill(processes[victim], SIGKILL)
    let outcome = try #require(job.outcome(within: 10), "the job went on for 10 s")
    #expect(outcome.status != 0)
    #expect(!outcome.isTimedOut)
    #expect(job.descendants(named: "admm-mpi").isEmpty)
  }
}
