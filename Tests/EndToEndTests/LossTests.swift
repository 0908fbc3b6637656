import Foundation
import TestSupport
import Testing

/// What goes wrong around a run, its disk, its directory, whoever reads its output, does not end it.
@Suite struct LossTests {
  /// Starts a run without end and waits for the first line of its log.
  private func run(
    _ directory: borrowing TemporaryDirectory, ranks: Int?, output: String
  ) throws -> Running {
    let configuration = try directory.configuration(data: "synthetic = 600\nsynthetic_features = 5")
    let settings = ["training.iterations=100000000", "output.evaluate_every=50"]
    let job = try Program.start(
      ranks: ranks, [configuration, "--output", output] + settings.flatMap { ["--set", $0] }, limit: 90)
    let isTraining = wait(atMost: 60) { !job.isRunning || size(output + "/iterations.jsonl") > 0 }
    let isRunning = job.isRunning
    try #require(isTraining && isRunning, "no iteration within a minute: \(job.errors)")
    return job
  }

  /// Asks a job to end, and waits for that.
  private func end(_ job: borrowing Running) throws -> Outcome {
    let processes = job.descendants(named: "admm-mpi")
    if let first = processes.first { kill(first, SIGUSR1) }
    let outcome = job.outcome(within: 30)
    for process in processes where outcome == nil { kill(process, SIGKILL) }
    return try #require(outcome, "the job goes on")
  }

  private func size(_ path: String) -> Int { (FileManager.default.contents(atPath: path) ?? Data()).count }

  /// Whether a log is whole lines, a line each 50 iterations from the first on, but for the last line; and how many.
  private func lines(_ path: String) throws -> Int {
    struct Line: Decodable { let iteration: Int }
    let text = try String(contentsOfFile: path + "/iterations.jsonl", encoding: .utf8)
    #expect(text.isEmpty || text.hasSuffix("\n"))
    let found = try text.split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8)).iteration
    }
    #expect(found.dropLast() == (0..<max(found.count - 1, 0)).map { 50 * ($0 + 1) }[...], "\(found)")
    return found.count
  }

  private func names(_ path: String) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: path))
  }

  /// Removes a directory in which a run is at work.
  private func remove(_ path: String) throws {
    let isGone = wait(atMost: 10) {
      try? FileManager.default.removeItem(atPath: path)
      return !FileManager.default.fileExists(atPath: path)
    }
    try #require(isGone)
  }

  /// The directory is removed with the one above it, or renamed: all results are there in the end, whole, and said is
  /// once what happened.
  @Test(arguments: [nil, 3], ["removed", "renamed"])
  func aDirectoryThatIsGoneIsMadeAgain(ranks: Int?, how: String) throws {
    let directory = try TemporaryDirectory()
    let output = directory.path("above/run")
    let job = try run(directory, ranks: ranks, output: output)
    let before = size(output + "/iterations.jsonl")
    if how == "removed" {
      try remove(output)
    } else {
      try FileManager.default.moveItem(atPath: output, toPath: directory.path("other"))
    }
    let isBack = wait(atMost: 30) { size(output + "/iterations.jsonl") > before }
    #expect(isBack, "\(job.errors)")
    let outcome = try end(job)
    #expect(outcome.status == 75, "\(outcome.transcript)")
    #expect(outcome.errors.contains("was removed or renamed"), "\(outcome.transcript)")
    #expect(try lines(output) > 2)
    #expect(try names(output).isSuperset(of: ["run.json", "model.h5", "iterations.jsonl"]))
    let result = try directory.result("above/run")
    #expect(result.exitStatus == 75 && result.warnings.contains { $0.contains("was removed or renamed") })
    if how == "renamed" { #expect(try lines(directory.path("other")) > 0) }
  }

  /// In its place is a file: the run goes on, names at its end each result that is missing, and ends with 74.
  @Test(arguments: [nil, 3]) func aDirectoryThatCantBeMadeAgainIsAStatus(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let job = try run(directory, ranks: ranks, output: directory.path("above/run"))
    try FileManager.default.moveItem(atPath: directory.path("above"), toPath: directory.path("other"))
    try directory.write("above", "in the way")
    let isTold = wait(atMost: 30) { job.errors.contains("lines of iterations.jsonl wait in memory") }
    #expect(isTold, "\(job.errors)")
    let outcome = try end(job)
    #expect(outcome.status == 74, "\(outcome.transcript)")
    #expect(outcome.output.contains(", results missing\n"), "\(outcome.transcript)")
    for file in ["of iterations.jsonl could not be kept", "run.json can't be made"] {
      #expect(outcome.errors.contains(file), "\(outcome.transcript)")
    }
    #expect(directory.text("above") == "in the way")
  }

  /// The disk fills during training. Room that comes back is used, and nothing is missing; else the run ends with 74,
  /// and the lines and the model that are there are whole.
  @Test(.enabled("needs the right to mount") { Disk.canMount }, arguments: [nil, 3], [true, false])
  func aDiskThatFillsIsWaitedFor(ranks: Int?, isFreed: Bool) throws {
    let directory = try TemporaryDirectory()
    try Disk.with(kilobytes: 2048) { disk in
      let output = disk + "/run"
      let job = try run(directory, ranks: ranks, output: output)
      Disk.fill(disk + "/fill")
      let isTold = wait(atMost: 30) { job.errors.contains("lines of iterations.jsonl wait in memory") }
      #expect(isTold, "\(job.errors)")
      let before = try lines(output)
      if isFreed {
        unlink(disk + "/fill")
        let goesOn = wait(atMost: 30) { (try? lines(output)) ?? 0 > before + 1 }
        #expect(goesOn)
      }
      let outcome = try end(job)
      #expect(outcome.status == (isFreed ? 75 : 74), "\(outcome.transcript)")
      #expect(try lines(output) >= before)
      #expect(try names(output).allSatisfy { !$0.hasSuffix(".part") })
      let data = try directory.write("d.csv", Samples(20, width: 5, seed: 1).csv)
      let check = try Program.run(ranks: nil, ["evaluate", output + "/model.h5", data])
      #expect(check.status == 0, "\(check.transcript)")
    }
  }

  /// `| head -3`, by mpirun or without, with the errors or without: the run leaves all that it would have left.
  @Test(arguments: [nil, 2, 3], ["", "2>&1"]) func nobodyHasToReadTheOutput(ranks: Int?, errors: String)
    throws
  {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 600\nsynthetic_features = 5")
    let launch = ranks.map { Program.launcher + ["-n", "\($0)"] } ?? []
    let settings = ["training.iterations=100000000", "output.evaluate_every=50"].flatMap { ["--set", $0] }
    let words = launch + [Program.path, configuration] + settings
    let command = words.map { "'\($0)'" }.joined(separator: " ")
    let job = try Program.start(
      command: ["bash", "-c", "\(command) \(errors) | head -3; exit ${PIPESTATUS[0]}"], limit: 90)
    let goesOn = wait(atMost: 60) { ((try? lines(directory.path("run"))) ?? 0) > 8 || !job.isRunning }
    #expect(goesOn)
    let outcome = try end(job)
    #expect(outcome.status == 75, "\(outcome.transcript)")
    #expect(outcome.output.split(separator: "\n").count == 3)
    let result = try directory.result()
    #expect(result.exitStatus == 75 && result.status == "interrupted")
    #expect(
      result.warnings.contains { $0.hasPrefix("standard output can't be written") }, "\(result.warnings)")
    #expect(try names(directory.path("run")).isSuperset(of: ["model.h5", "checkpoints"]))
  }
}
