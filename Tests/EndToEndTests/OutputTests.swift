import Foundation
import TestSupport
import Testing

/// What a run prints is what it leaves, and fit for where it is printed.
@Suite struct OutputTests {
  @Test(arguments: [nil, 1, 3])
  func aFileGetsTheRowsOfTheLogAndNoControlCharacters(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 31).csv)
    let outcome = try Program.run(ranks: ranks, [directory.configuration(train: train)])
    try #require(outcome.status == 0, "\(outcome.transcript)")

    #expect(!outcome.output.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
    #expect(lines.last == "status: max_iterations after 3 iterations")
    #expect(lines.contains("results: \(directory.path("run")) (run.json, iterations.jsonl, model.h5)"))

    let log = try records(directory)
    let header = try #require(lines.firstIndex { $0.hasPrefix("  iter ") && $0.hasSuffix(" GFLOP/s") })
    let rows = lines[(header + 1)...].map { $0.split(separator: " ") }.prefix { Int($0[0]) != nil }
    try #require(rows.count == 3 && log.count == 3)
    for (row, record) in zip(rows, log) {
      #expect(Int(row[0]) == record.iteration)
      let shown = try #require(Double(row[1]))
      #expect(abs(shown - record.objective) <= 1e-4 * abs(record.objective))
    }
  }

  /// Banner, run.json and model call the method by its name, whichever name the configuration used.
  @Test func aMethodIsCalledByItsName() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 36).csv)
    let configuration = try directory.configuration(train: train)
    var weights: [String] = []
    for setting in ["training.method=consistent", "taylor.multiplier=all", "taylor.preset=consistent"] {
      let outcome = try Program.run(ranks: 2, [configuration, "--set", setting])
      try #require(outcome.status == 0, "\(outcome.transcript)")
      #expect(outcome.output.contains("consistent, penalty 0.5, momentum 0.9, 3 iterations, seed 1"))
      #expect(!outcome.output.contains("preset robust"))
      let text = directory.text("run/run.json")
      #expect(text.contains("\"method\": \"consistent\"") && !text.contains("\"all\""))
      weights.append(try directory.result().weightsSha256)
      let evaluation = try Program.run(ranks: nil, ["evaluate", directory.path("run/model.h5"), train])
      #expect(evaluation.output.contains("consistent, iteration "), "\(evaluation.transcript)")
    }
    #expect(Set(weights).count == 1)
  }

  @Test func onATerminalProgressIsShown() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 32).csv)
    let configuration = try directory.configuration(train: train)
    let launcher = Program.launcher.joined(separator: " ")
    // script gives the command a terminal and copies what it shows.
    let outcome = try Program.run(
      command: ["script", "-qec", "\(launcher) -n 2 '\(Program.path)' '\(configuration)'", "/dev/null"])
    try #require(outcome.status == 0, "\(outcome.transcript)")
    #expect(outcome.output.contains("\rreading the training set"))
    #expect(outcome.output.contains("\u{1B}[K"))
    #expect(outcome.output.contains("status: max_iterations after 3 iterations"))
  }

  @Test func quietIsQuiet() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 33).csv)
    let outcome = try Program.run(ranks: nil, [directory.configuration(train: train), "--quiet"])
    #expect(outcome.status == 0, "\(outcome.transcript)")
    // One line: where the model is, and what it reaches.
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 2 && lines[1].isEmpty, "\(outcome.output)")
    #expect(
      lines[0].hasPrefix("\(directory.path("run/model.h5")): iteration 3 of 3, train accuracy % "), "\(lines)"
    )
    #expect(lines[0].hasSuffix("; max_iterations"), "\(lines)")
    #expect(try records(directory).count == 3)
  }

  @Test func aFormerRunIsNotOverwritten() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 34).csv)
    let configuration = try directory.configuration(train: train)
    try #require(try Program.run(ranks: 2, [configuration]).status == 0)
    let former = directory.bytes("run/run.json")
    let outcome = try Program.run(ranks: 2, [configuration, "--set", "output.overwrite=false"])
    #expect(outcome.status == 74, "\(outcome.transcript)")
    #expect(outcome.errors.contains("\(directory.path("run")) is not empty"))
    #expect(!former.isEmpty && directory.bytes("run/run.json") == former)
  }

  private struct Record: Decodable {
    let iteration: Int
    let objective: Double
  }

  /// The lines of iterations.jsonl.
  private func records(_ directory: borrowing TemporaryDirectory) throws -> [Record] {
    try directory.text("run/iterations.jsonl").split(separator: "\n").map {
      try JSONDecoder().decode(Record.self, from: Data($0.utf8))
    }
  }
}
