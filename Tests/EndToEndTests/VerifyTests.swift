import Foundation
import TestSupport
import Testing

/// `admm-mpi verify` passes on any number of ranks, and says what fails.
@Suite struct VerifyCommandTests {
  private func verify(_ ranks: Int?, _ arguments: [String]) throws -> Outcome {
    try Program.run(ranks: ranks, ["verify", "--quick"] + arguments, limit: 300)
  }

  private func lines(_ outcome: Outcome, _ word: String) -> [String] {
    outcome.output.split(separator: "\n").filter { $0.hasPrefix(word + " ") }.map(String.init)
  }

  @Test(arguments: [nil, 1, 2, 3]) func everythingPasses(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path("here"), withIntermediateDirectories: true)
    let outcome = try verify(ranks, ["--directory", directory.path("here")])
    #expect(outcome.status == 0 && !outcome.isTimedOut, "\(outcome.transcript)")
    let passed = lines(outcome, "PASSED")
    #expect(passed.count >= 20 && lines(outcome, "FAILED").isEmpty, "\(outcome.transcript)")
    for name in [
      "hosts", "activations", "losses", "products", "solves", "exact sums", "long sums", "messages",
      "same bits, taylor", "same bits, lbfgs", "directory", "room", "shared file", "checkpoints",
      "kill and resume",
      "product speed",
    ] { #expect(passed.contains { $0.hasPrefix("PASSED \(name): ") }, "\(name) in \(outcome.transcript)") }
    #expect(outcome.output.contains("\nall \(passed.count) checks passed"), "\(outcome.transcript)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path("here")).isEmpty)
  }

  /// Not even root can write into /proc.
  @Test(arguments: [1, 2], ["/proc", "/no/such/directory"])
  func aDirectoryThatCannotBeWritten(ranks: Int, directory: String) throws {
    let outcome = try verify(ranks, ["--directory", directory])
    #expect(outcome.status == 74 && !outcome.isTimedOut, "\(outcome.transcript)")
    let failed = lines(outcome, "FAILED")
    #expect(failed.count == 1 && failed[0].contains("\(directory) can't be written"), "\(outcome.transcript)")
    #expect(failed.first?.contains("--directory") == true)
    let count = failed.count + lines(outcome, "PASSED").count
    #expect(outcome.output.contains("\n1 of \(count) checks failed"), "\(outcome.transcript)")
    #expect(lines(outcome, "SKIPPED").count >= 5)
  }

  /// A check that does not come to an end ends the job: the alarm is given here before its time.
  @Test func aCheckThatHangs() throws {
    let directory = try TemporaryDirectory()
    let job = try Program.start(ranks: 2, ["verify", "--directory", directory.path("")], limit: 300)
    try #require(wait(atMost: 60) { job.output.contains("PASSED hosts") }, "no check has begun")
    let processes = job.descendants(named: "admm-mpi")
    try #require(processes.count == 2)
    kill(processes[0], SIGALRM)
    let outcome = job.outcome()
    #expect(outcome.status == 70, "\(outcome.transcript)")
    #expect(lines(outcome, "FAILED").contains { $0.contains("no end after") }, "\(outcome.transcript)")
  }

  @Test func aMistakeOfTheUser() throws {
    #expect(try verify(2, ["--directory", ""]).status == 64)
    #expect(try verify(2, ["somewhere"]).status == 64)
  }
}
