import Foundation
import TestSupport
import Testing

/// What goes wrong around a run, its disk, its directory, whoever reads its output, does not end it.
@Suite struct LossTests {
  private static let iterations = 60

  /// Starts a run of 60 evaluated iterations and waits for the first.
  private func run(
    _ directory: borrowing TemporaryDirectory, ranks: Int?, output: String
  ) throws -> Running {
    let configuration = try directory.configuration(data: "synthetic = 3000\nsynthetic_test = 3000")
    let job = try Program.start(
      ranks: ranks,
      [configuration, "--output", output, "--set", "training.iterations=\(Self.iterations)"], limit: 90)
    let log = output + "/iterations.jsonl"
    let isTraining = wait(atMost: 60) {
      !job.isRunning || (FileManager.default.contents(atPath: log) ?? Data()).isEmpty == false
    }
    let isRunning = job.isRunning
    try #require(isTraining && isRunning, "the run was too fast, or did not begin: \(job.errors)")
    return job
  }

  /// The iterations of the log, which must be whole lines.
  private func iterations(_ path: String) throws -> [Int] {
    struct Line: Decodable { let iteration: Int }
    let text = try String(contentsOfFile: path + "/iterations.jsonl", encoding: .utf8)
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).iteration }
  }

  private func names(_ path: String) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: path))
  }

  /// The directory is removed with the one above it, or renamed: all results are there in the end, whole, and said is
  /// once what happened.
  @Test(arguments: [nil, 3], ["removed", "renamed"])
  func aDirectoryThatIsGoneIsMadeAgain(ranks: Int?, how: String) throws {
    let directory = try TemporaryDirectory()
    let output = directory.path("above/run")
    let job = try run(directory, ranks: ranks, output: output)
    if how == "removed" {
      try FileManager.default.removeItem(atPath: directory.path("above"))
    } else {
      try FileManager.default.moveItem(atPath: output, toPath: directory.path("other"))
    }
    let outcome = job.outcome()
    #expect(outcome.status == 0, "\(outcome.transcript)")
    #expect(outcome.errors.components(separatedBy: "was removed or renamed").count == 2, "\(outcome.transcript)")
    #expect(try iterations(output) == Array(1...Self.iterations))
    #expect(try names(output).isSuperset(of: ["run.json", "model.h5", "iterations.jsonl"]))
    let result = try directory.result("above/run")
    #expect(result.exitStatus == 0 && result.warnings.contains { $0.contains("was removed or renamed") })
    if how == "renamed" { #expect(try iterations(directory.path("other")).first == 1) }
  }

  /// In its place is a file: the run comes to its end, names each result that is missing, and ends with 74.
  @Test(arguments: [nil, 3]) func aDirectoryThatCantBeMadeAgainIsAStatus(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let output = directory.path("above/run")
    let job = try run(directory, ranks: ranks, output: output)
    try FileManager.default.removeItem(atPath: directory.path("above"))
    try directory.write("above", "in the way")
    let outcome = job.outcome()
    #expect(outcome.status == 74, "\(outcome.transcript)")
    #expect(outcome.output.contains("status: max_iterations after \(Self.iterations) iterations, results missing\n"))
    for file in ["lines of iterations.jsonl could not be kept", "run.json can't be made"] {
      #expect(outcome.errors.contains(file), "\(outcome.transcript)")
    }
    #expect(directory.text("above") == "in the way")
  }

  /// The disk fills during training. Room that comes back is used, and nothing is missing; else the run ends with 74,
  /// and the lines that are there are whole.
  @Test(.enabled("needs the right to mount") { Disk.canMount }, arguments: [nil, 3], [true, false])
  func aDiskThatFillsIsWaitedFor(ranks: Int?, isFreed: Bool) throws {
    let directory = try TemporaryDirectory()
    try Disk.with(kilobytes: 160) { disk in
      let output = disk + "/run"
      let job = try run(directory, ranks: ranks, output: output)
      Disk.fill(disk + "/fill")
      let isTold = wait(atMost: 30) { job.errors.contains("lines of iterations.jsonl wait in memory") }
      #expect(isTold, "\(job.errors)")
      if isFreed { unlink(disk + "/fill") }
      let outcome = job.outcome()
      #expect(outcome.status == (isFreed ? 0 : 74), "\(outcome.transcript)")
      let found = try iterations(output)
      let lost = found.count < Self.iterations
      #expect(found == Array(1...Self.iterations).prefix(found.count).map { $0 } && lost == !isFreed)
      #expect(try names(output).allSatisfy { !$0.hasSuffix(".part") })
      // The model is the one of before, or a new one: never half of one.
      if FileManager.default.fileExists(atPath: output + "/model.h5") {
        let data = try directory.write("d.csv", Samples(20, width: 28, seed: 1).csv)
        let check = try Program.run(ranks: nil, ["evaluate", output + "/model.h5", data])
        #expect(check.status == 0, "\(check.transcript)")
      } else {
        #expect(!isFreed)
      }
    }
  }

  /// `| head -3`, by mpirun or without, with the errors or without: the run leaves all that it would have left.
  @Test(arguments: [nil, 2, 3], ["", "2>&1"]) func nobodyHasToReadTheOutput(ranks: Int?, errors: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 600")
    let launch = ranks.map { Program.launcher + ["-n", "\($0)"] } ?? []
    let words = launch + [Program.path, configuration, "--set", "training.iterations=40"]
    let command = words.map { "'\($0)'" }.joined(separator: " ")
    let outcome = try Program.run(
      command: ["bash", "-c", "\(command) \(errors) | head -3; exit ${PIPESTATUS[0]}"], limit: 60)
    #expect(outcome.status == 0, "\(outcome.transcript)")
    #expect(outcome.output.split(separator: "\n").count == 3)
    let result = try directory.result()
    #expect(result.iterations == 40 && result.exitStatus == 0)
    #expect(result.warnings.contains { $0.hasPrefix("standard output can't be written") }, "\(result.warnings)")
    #expect(try iterations(directory.path("run")) == Array(1...40))
  }
}
