import Foundation
import TestSupport
import Testing

/// kill -9 of any rank at any moment: the job ends, and what goes on from there comes to the same bits.
@Suite struct KillTests {
  /// `make test-kill COUNT=1000` has more of them.
  private static let count = ProcessInfo.processInfo.environment["KILL_COUNT"].flatMap { Int($0) } ?? 20
  private static let seed = ProcessInfo.processInfo.environment["KILL_SEED"].flatMap { UInt64($0) } ?? 1
  private static let iterations = 60

  @Test func theSameBitsAfterAKill() throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: Self.seed)
    var known: [String: (weights: String, seconds: Double)] = [:]
    var (killed, resumed) = (0, 0)
    for round in 0..<Self.count {
      let trained = ResumeTests.trained[round % ResumeTests.trained.count]
      let arguments = try ResumeTests.arguments(
        directory, trained, iterations: Self.iterations, more: ["checkpoint.every_iterations=1"])
      let name = trained.testDescription
      if known[name] == nil {
        let begin = Date()
        let weights = try ResumeTests.whole(directory, arguments)
        known[name] = (weights, -begin.timeIntervalSinceNow)
        try FileManager.default.copyItem(atPath: directory.path("whole"), toPath: directory.path("whole \(name)"))
      }
      let (weights, seconds) = try #require(known[name])
      let job = try Program.start(ranks: 3, arguments, limit: 120)
      // Before, while and after it trains.
      Thread.sleep(forTimeInterval: Double.random(in: 0.2...1.3, using: &random) * seconds)
      let processes = job.descendants(named: "admm-mpi")
      let victim = processes.randomElement(using: &random)
      if let victim { kill(victim, SIGKILL) }
      let outcomeOfKill = job.outcome(within: 10)
      let ended = try #require(outcomeOfKill, "round \(round), \(name): the job went on for 10 s")
      if ended.status != 0 { killed += 1 }
      let left = job.descendants(named: "admm-mpi")
      #expect(left.isEmpty, "round \(round)")

      let ranks = [1, 2, 4].randomElement(using: &random) ?? 1
      let outcome = try Program.run(ranks: ranks, arguments + ["--resume"], limit: 120)
      try #require(outcome.status == 0, "round \(round), \(name), \(ranks) ranks: \(outcome.transcript)")
      #expect(try directory.result().weightsSha256 == weights, "round \(round), \(name), \(ranks) ranks")
      if outcome.output.contains("goes on after iteration") {
        resumed += 1
        #expect(try directory.log("run") == directory.log("whole \(name)"), "round \(round), \(name)")
      }
      try FileManager.default.removeItem(atPath: directory.path("run"))
    }
    // Else the moments were badly chosen.
    #expect(killed >= Self.count / 3 && resumed >= Self.count / 4, "\(killed) killed, \(resumed) resumed")
    print("\(Self.count) rounds: \(killed) killed, \(resumed) went on from a checkpoint")
  }
}
