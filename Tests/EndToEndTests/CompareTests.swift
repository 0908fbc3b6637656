import Foundation
import TestSupport
import Testing

/// `compare` shows what happened, which is what `train` does, and leaves nothing out.
@Suite struct CompareTests {
  /// What Tests/Reference/study.py is asked.
  private struct Request: Encodable {
    let directory: String
    var lower = false
  }

  /// What it answers.
  private struct Answer: Decodable {
    let mistakes: [String]
    let lines: [String]
    let checked: Int
    let titles: [[String]?]
  }

  private struct Line: Decodable {
    let name: String
    let seed: UInt64?
    let iteration: Int
    let train_accuracy: Double?
    let test_accuracy: Double?
  }

  private struct Table: Decodable {
    struct Run: Decodable {
      let seed: UInt64?
      let status: String?
      let auc: Double?
    }
    struct Entry: Decodable {
      let name: String
      let diverged: Int
      let runs: [Run]
    }
    let measure: String
    let entries: [Entry]
  }

  private static let gnuplot = FileManager.default.isExecutableFile(atPath: "/usr/bin/gnuplot")

  private func answer(_ directory: borrowing TemporaryDirectory, _ name: String, lower: Bool = false) throws
    -> Answer
  {
    try Python.run(
      script: "Tests/Reference/study.py", input: Request(directory: directory.path(name), lower: lower))
  }

  private func table(_ directory: borrowing TemporaryDirectory, _ name: String) throws -> Table {
    try JSONDecoder().decode(Table.self, from: directory.bytes("\(name)/table.json"))
  }

  private func lines(_ directory: borrowing TemporaryDirectory, _ name: String) throws -> [Line] {
    try directory.text("\(name)/series.jsonl").split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
  }

  /// Runs `compare` and requires that it ends well.
  @discardableResult
  private func compare(
    _ directory: borrowing TemporaryDirectory, _ name: String, ranks: Int?, _ arguments: [String]
  ) throws -> Outcome {
    let outcome = try Program.run(
      ranks: ranks, ["compare"] + arguments + ["--output", directory.path(name)])
    try #require(outcome.status == 0, "\(outcome.transcript)")
    return outcome
  }

  @Test(.enabled("\(Python.howToInstall)") { Python.isAvailable })
  func tablesFollowFromTheSeries() throws {
    let directory = try TemporaryDirectory()
    let arguments = try directory.contenders() + ["--seeds", "2", "--thresholds", "55,60.5,70,99.9"]
    let outcome = try compare(directory, "two", ranks: 2, arguments)
    let two = try answer(directory, "two")
    #expect(two.mistakes.isEmpty, "\(two.mistakes)\n\(directory.text("two/table.txt"))")
    #expect(two.checked > 100)
    // Of 5, 3 (3, 6 and the last, 7) and 6 iterates two seeds each, and the linear model.
    #expect(two.lines.count == 2 * (5 + 3 + 6) + 1)
    for name in ["it's_paper", "a & <b>", "fast", "linear model"] {
      #expect(
        outcome.output.split(separator: "\n").contains { $0.hasPrefix(name + " ") }, "\(outcome.transcript)")
    }
    // What is printed at the end is what table.txt ends with.
    let end = directory.text("two/table.txt").split(separator: "\n").suffix(20).joined(separator: "\n")
    #expect(outcome.output.split(separator: "\n").joined(separator: "\n").contains(end))

    // The number of ranks changes times only.
    for ranks in [nil, 3] {
      let name = "ranks-\(ranks ?? 1)"
      try compare(directory, name, ranks: ranks, arguments + ["--quiet"])
      #expect(try answer(directory, name).lines == two.lines)
    }
  }

  @Test(
    .enabled("gnuplot is not installed: make deps") { Self.gnuplot },
    .enabled("\(Python.howToInstall)") { Python.isAvailable })
  func plotsNameEveryMethod() throws {
    let directory = try TemporaryDirectory()
    try compare(directory, "study", ranks: 2, directory.contenders() + ["--seeds", "2"])
    let titles = try answer(directory, "study").titles
    #expect(titles.count == 2)
    for texts in titles {
      let texts = try #require(texts, "no SVG file")
      for name in ["it's_paper", "a & <b>", "fast", "linear model", "test accuracy %"] {
        #expect(texts.contains(name), "\(texts)")
      }
    }
  }

  /// Without gnuplot the comparison ends well, says so once, and leaves what gnuplot would need.
  @Test func withoutGnuplotTheScriptsStay() throws {
    let directory = try TemporaryDirectory()
    let files = try directory.contenders()
    // Open MPI looks for an ssh before it starts a job.
    let bin = directory.url.appending(path: "bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: bin.appending(path: "ssh").path, withDestinationPath: "/bin/true")
    let outcome = try Program.run(
      command: [
        "env", "PATH=\(bin.path)", Program.path, "compare", files[0], "--seeds", "1",
        "--output",
        directory.path("study"),
      ])
    #expect(outcome.status == 0, "\(outcome.transcript)")
    let messages = outcome.errors.split(separator: "\n").filter { $0.contains("gnuplot") }
    #expect(messages.count == 1 && messages[0].contains("gnuplot is not installed"), "\(outcome.transcript)")
    for axis in ["seconds", "passes"] {
      #expect(directory.text("study/\(axis).gp").contains("figure = '\(axis).svg'"))
      #expect(directory.text("study/\(axis).dat").hasPrefix("# it's_paper\n"))
      #expect(directory.bytes("study/\(axis).svg").isEmpty)
    }
  }

  /// Each run is the one that `train` does: nothing is carried over, and y is the method's own.
  @Test func everyRunIsThatOfTrain() throws {
    struct Record: Decodable {
      let iteration: Int
      let train_accuracy: Double
      let test_accuracy: Double
    }
    let directory = try TemporaryDirectory()
    let files = try directory.contenders()
    try compare(directory, "study", ranks: 2, files + ["--seeds", "4,9"])
    let (all, table) = (try lines(directory, "study"), try table(directory, "study"))
    #expect(table.measure == "test_accuracy" && table.entries.count == 4)
    for (file, entry) in zip(files, table.entries) {
      for run in entry.runs {
        let seed = try #require(run.seed)
        let outcome = try Program.run(
          ranks: 2,
          [
            file, "--set", "training.seed=\(seed)", "--set", "training.keep_best=true", "--output",
            directory.path("run"),
            "--set", "output.overwrite=true",
          ])
        try #require(outcome.status == 0, "\(outcome.transcript)")
        let records = try directory.text("run/iterations.jsonl").split(separator: "\n").map {
          try JSONDecoder().decode(Record.self, from: Data($0.utf8))
        }
        let own = all.filter { $0.name == entry.name && $0.seed == seed }
        #expect(own.map(\.iteration) == records.map(\.iteration), "\(entry.name), seed \(seed)")
        #expect(own.map(\.test_accuracy) == records.map(\.test_accuracy), "\(entry.name), seed \(seed)")
        #expect(own.map(\.train_accuracy) == records.map(\.train_accuracy), "\(entry.name), seed \(seed)")
        let best = try JSONDecoder().decode(
          [String: Best].self, from: onlyBest(directory.bytes("run/run.json")))
        #expect(run.auc == best["best"]?.test_auc && run.auc != nil)
      }
    }
  }

  private struct Best: Decodable { let test_auc: Double? }

  /// The member `best` of run.json alone.
  private func onlyBest(_ bytes: Data) throws -> Data {
    let object = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
    return try JSONSerialization.data(withJSONObject: ["best": object?["best"] ?? [:]])
  }

  /// The first seed draws the validation set for all: the second seed of one study has other samples to train on
  /// than as the first of another.
  @Test func theSplitIsTheFirstSeeds() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.contender("a", data: directory.samples() + "\nvalidation_fraction = 0.3", "")
    func linear(_ name: String, _ seeds: String) throws -> Double? {
      try compare(directory, name, ranks: 2, [file, "--seeds", seeds, "--set", "training.iterations=2"])
      #expect(try table(directory, name).measure == "test_accuracy")
      return try lines(directory, name).last?.train_accuracy
    }
    let (one, two) = (try linear("one", "1,2"), try linear("two", "2,1"))
    #expect(try one == linear("alone", "1"))
    #expect(one != two && one != nil)
  }

  @Test(.enabled("\(Python.howToInstall)") { Python.isAvailable })
  func regressionsCompareErrors() throws {
    let directory = try TemporaryDirectory()
    let data = "synthetic = 500\nsynthetic_test = 200\nsynthetic_features = 4\ntask = \"regression\""
    let files = [
      try directory.contender("square", data: data, "loss = \"square\"\n[training]\niterations = 5"),
      try directory.contender("huber", data: data, "loss = \"huber\"\n[training]\niterations = 5"),
    ]
    let outcome = try compare(directory, "study", ranks: 3, files + ["--seeds", "3"])
    let found = try answer(directory, "study", lower: true)
    #expect(found.mistakes.isEmpty && found.checked > 50, "\(found.mistakes)\n\(outcome.transcript)")
    #expect(outcome.output.contains("test RMSE") && !outcome.output.contains("AUC"))
  }

  /// A run that diverges, be it at once and for good, is counted, stays in the series, and the comparison goes on.
  @Test func aDivergedRunIsShown() throws {
    let directory = try TemporaryDirectory()
    let data = try directory.samples()
    let paper = "[training]\niterations = 50\n[taylor]\npreset = \"paper\"\n"
    let files = [
      try directory.contender("wild", data: data, paper + "warm_start = 0\ndual_step = 1e37"),
      // More units than samples, and nothing that makes up for it.
      try directory.contender(
        "stillborn", data: data, hidden: 700,
        "[training]\nmethod = \"accelerated\"\n[accelerated]\nridge = 1e-320\n[stop]\ndivergences = 1"),
      try directory.contender("tame", data: data, "[training]\niterations = 2"),
    ]
    let outcome = try compare(directory, "study", ranks: 2, files + ["--seeds", "2"])
    let table = try table(directory, "study")
    #expect(table.entries.map(\.diverged) == [2, 2, 0, 0], "\(outcome.transcript)")
    #expect(table.entries[0].runs.map(\.status) == ["diverged", "diverged"])
    let shown = directory.text("study/table.txt").split(separator: "\n")
    #expect(shown.count { $0.hasSuffix("2, 2 diverged") } == 2, "\(outcome.transcript)")
    let all = try lines(directory, "study")
    for name in ["wild", "stillborn"] {
      #expect(Set(all.filter { $0.name == name }.map(\.seed)) == [1, 2])
    }
    #expect(all.filter { $0.name == "stillborn" }.map(\.iteration) == [0, 0])
  }
}
