import Foundation
import TestSupport
import Testing

/// Too little memory ends a run with a status and a word.
@Suite struct MemoryTests {
  /// Runs the program where a process may have so many MiB of address space.
  private func run(limit: Int, _ arguments: [String]) throws -> Outcome {
    try Program.run(
      command: ["sh", "-c", "ulimit -v \(limit * 1024); exec \"$0\" \"$@\"", Program.path] + arguments)
  }

  @Test(arguments: [
    (limit: 300, hidden: 8, phrase: "ulimit -v is 300 MiB"),
    (limit: 900, hidden: 4000, phrase: "ulimit -v leaves it"),
  ])
  func aLimitThatIsTooSmallIsTold(limit: Int, hidden: Int, phrase: String) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(60, seed: 1).csv)
    let configuration = try directory.configuration(train: train)
    let outcome = try run(limit: limit, [configuration, "--set", "network.hidden=[\(hidden),\(hidden)]"])
    #expect(outcome.status == 71 && !outcome.isTimedOut, "\(outcome.transcript)")
    #expect(outcome.errors.contains(phrase), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test(arguments: [1, 3])
  func whatNoHostHasRoomForIsRefused(ranks: Int) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(60, seed: 1).csv)
    let configuration = try directory.configuration(train: train)
    for option in [[], ["--check"]] {
      let outcome = try Program.run(
        ranks: ranks, [configuration, "--set", "network.hidden=[1000000,1000000]"] + option)
      #expect(outcome.status == 71, "\(outcome.transcript)")
      #expect(outcome.errors.contains("TiB to train, and it has"), "\(outcome.errors)")
    }
  }
}
