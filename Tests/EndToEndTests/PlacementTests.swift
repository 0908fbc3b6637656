import Foundation
import TestSupport
import Testing

/// A job whose ranks stand in each other's way says so, with a command line that mends it.
@Suite struct PlacementTests {
  private static let cores = ProcessInfo.processInfo.activeProcessorCount

  /// Files for a run on made-up samples. Returns the configuration's path.
  private func configuration(in directory: borrowing TemporaryDirectory) throws -> String {
    try directory.configuration(train: directory.write("train.csv", Samples(300, seed: 51).csv))
  }

  /// The warnings on standard error, which run.json has, too.
  private func warnings(_ outcome: Outcome, _ directory: borrowing TemporaryDirectory) throws -> [String] {
    try #require(outcome.status == 0, "\(outcome.transcript)")
    let start = "admm-mpi: warning: "
    let warnings = outcome.errors.split(separator: "\n").filter { $0.hasPrefix(start) }.map {
      String($0.dropFirst(start.count))
    }
    #expect(try directory.result().warnings == warnings)
    return warnings
  }

  /// What a warning proposes, run by a shell with the launcher of these tests.
  private func better(_ warning: String) throws -> Outcome {
    let line = try #require(warning.split(separator: "Better: ", maxSplits: 1).last)
    try #require(line.hasPrefix("mpirun "))
    let launcher = Program.launcher.joined(separator: " ")
    return try Program.run(command: ["bash", "-c", launcher + line.dropFirst("mpirun".count)])
  }

  @Test(.enabled("needs a machine with 1 to 8 cores") { (1...8).contains(cores) })
  func moreRanksThanCores() throws {
    let directory = try TemporaryDirectory()
    let configuration = try configuration(in: directory)
    let outcome = try Program.run(ranks: Self.cores + 1, [configuration])
    let warnings = try warnings(outcome, directory)
    try #require(warnings.count == 1, "\(outcome.transcript)")
    let ending = "--bind-to core \(Program.path) \(configuration)"
    #expect(warnings[0].contains(" for \(Self.cores + 1) ranks × 1 thread, "))
    #expect(warnings[0].hasSuffix("Better: mpirun -n \(Self.cores) \(ending)"))
  }

  /// The proposed command line is one that mpirun takes, and puts an end to the warning.
  @Test func moreThreadsThanCores() throws {
    let directory = try TemporaryDirectory()
    let configuration = try configuration(in: directory)
    let outcome = try Program.run(
      ranks: 1, [configuration, "--set", "training.threads_per_rank=\(Self.cores + 1)"])
    let first = try warnings(outcome, directory)
    try #require(first.count == 1, "\(outcome.transcript)")
    #expect(first[0].contains(" for 1 rank × \(Self.cores + 1) threads, which will wait for each other."))
    #expect(try directory.result().threadsPerRank == Self.cores + 1)
    let mended = try better(first[0])
    #expect(try warnings(mended, directory).isEmpty, "\(mended.transcript)")
    #expect(try directory.result().threadsPerRank <= Self.cores)
  }

  @Test(
    .enabled("needs 2 cores or more") { cores > 1 },
    arguments: [
      ["taskset", "-c", "0"] + Program.launcher + ["-n", "2", "--bind-to", "none"],
      Program.launcher + ["-n", "2", "--cpu-set", "0", "--bind-to", "core"],
    ])
  func ranksOnOneCore(launch: [String]) throws {
    let directory = try TemporaryDirectory()
    let configuration = try configuration(in: directory)
    let outcome = try Program.run(command: launch + [Program.path, configuration])
    let first = try warnings(outcome, directory)
    try #require(first.count == 1, "\(outcome.transcript)")
    #expect(first[0].hasPrefix("ranks 0-1 on "))
    #expect(first[0].contains(" 1 thread each, have only core 0 together and will wait for each other."))
    let mended = try better(first[0])
    #expect(!(try warnings(mended, directory)).contains { $0.contains("Better:") }, "\(mended.transcript)")
    #expect(try directory.result().ranks == 2)
  }
}
