import Foundation
import TestSupport
import Testing

/// What the commands say of a model and of data is true, and the same on any number of ranks.
@Suite struct CommandTests {
  /// What Tests/Reference/network.py is asked.
  private struct Request: Encodable {
    let model: String
    let data: String
    var predictions: String? = nil
  }

  /// What it answers.
  private struct Answer: Decodable {
    let accuracy: Double
    let auc: Double?
    let wrong_predictions: Int?
    let largest_score_error: Double?
  }

  private static let script = "Tests/Reference/network.py"

  /// Trains on made-up samples with a test set and returns the run's result.
  private func train(
    in directory: borrowing TemporaryDirectory, classes: Int, settings: [String] = []
  ) throws -> RunResult {
    let train = try directory.write("train.csv", Samples(900, classes: classes, seed: 21).csv)
    let test = try directory.write("test.csv", Samples(401, classes: classes, seed: 22).csv)
    let configuration = try directory.configuration(train: train, test: test)
    try succeed(2, [configuration, "--set", "training.keep_best=false"] + settings)
    return try directory.result()
  }

  /// Runs the program and requires that it ends well. Returns its standard output.
  @discardableResult
  private func succeed(_ ranks: Int?, _ arguments: [String]) throws -> String {
    let outcome = try Program.run(ranks: ranks, arguments)
    try #require(outcome.status == 0, "\(arguments): \(outcome.transcript)")
    return outcome.output
  }

  /// What [baselines] names is a row of the last table and a member of run.json, with its own number of iterations.
  @Test func baselinesAreTrainedBesideTheNetwork() throws {
    struct Run: Decodable {
      struct Baseline: Decodable {
        let status: String?
        let iteration: Int?
        let objective: Double?
        let seconds: Double?
        let train_accuracy, test_accuracy: Double
      }
      let baselines: [String: Baseline]
    }
    let names = ["taylor", "accelerated", "sgd", "adam", "cg", "lbfgs", "random_features"]
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(900, classes: 3, seed: 21).csv)
    let test = try directory.write("test.csv", Samples(401, classes: 3, seed: 22).csv)
    let configuration = try directory.configuration(
      train: train, test: test,
      "[baselines]\nmethods = \(names)\niterations = 12\n[sgd]\nblock = 64\n[adam]\nblock = 64")
    let output = try succeed(
      2, [configuration, "--set", "network.loss=softmax", "--set", "network.hidden=[40]"])
    let rows = output.split(separator: "\n").filter { line in
      (names + ["network", "linear", "majority"]).contains { line.hasPrefix($0) }
    }
    // The banner's network line is indented.
    #expect(rows.count == names.count + 3, "\(rows)")
    let run = try JSONDecoder().decode(Run.self, from: directory.bytes("run/run.json"))
    #expect(Set(run.baselines.keys) == Set(names + ["majority", "linear"]))
    for name in names {
      let baseline = try #require(run.baselines[name])
      #expect((0.6...1).contains(baseline.train_accuracy), "\(name): \(baseline)")
      #expect((0.5...1).contains(baseline.test_accuracy), "\(name): \(baseline)")
      guard name != "random_features" else { continue }
      #expect(baseline.status == "max_iterations" || baseline.status == "converged")
      #expect((1...12).contains(baseline.iteration ?? 0) && (baseline.seconds ?? 0) > 0)
      #expect((baseline.objective ?? 0) > 0)
    }
    #expect(try directory.result().iterations == 3)
  }

  @Test(
    .enabled("\(Python.howToInstall)") { Python.isAvailable },
    arguments: [
      (classes: 2, settings: ["network.loss=hinge"]),
      (
        classes: 2,
        settings: ["network.loss=logistic", "network.hidden=[6, 4]", "network.activation=hard_tanh"]
      ),
      (classes: 4, settings: ["network.loss=hinge", "network.bias=false"]),
      (classes: 3, settings: ["network.loss=softmax", "data.standardize=false"]),
      (classes: 2, settings: ["network.hidden=[6, 4]", "network.activation=hard_sigmoid"]),
      (
        classes: 3,
        settings: ["training.method=consistent", "network.hidden=[6, 4]", "network.activation=tanh"]
      ),
      (
        classes: 2,
        settings: ["training.method=accelerated", "network.hidden=[20]", "network.activation=silu"]
      ),
      (
        classes: 2,
        settings: ["network.loss=logistic", "network.hidden=[6, 4]", "network.activation=sigmoid"]
      ),
      (classes: 3, settings: ["network.loss=softmax", "network.activation=leaky_relu"]),
      (classes: 2, settings: ["network.loss=logistic", "network.hidden=[5]", "network.activation=identity"]),
    ])
  func reportedNumbersAreThoseOfTheModel(classes: Int, settings: [String]) throws {
    let directory = try TemporaryDirectory()
    let result = try train(in: directory, classes: classes, settings: settings.flatMap { ["--set", $0] })
    #expect(result.samples.train == 900)
    #expect(result.samples.test == 401)
    let model = directory.path("run/model.h5")
    let test: Answer = try Python.run(
      script: Self.script, input: Request(model: model, data: directory.path("test.csv")))
    #expect(result.final.testAccuracy == test.accuracy)
    let train: Answer = try Python.run(
      script: Self.script, input: Request(model: model, data: directory.path("train.csv")))
    #expect(result.final.trainAccuracy == train.accuracy)
    if let auc = test.auc {
      let reported = try #require(result.final.testAuc)
      #expect(abs(reported - auc) < 1e-4)
    }
  }

  @Test(.enabled("\(Python.howToInstall)") { Python.isAvailable }, arguments: [2, 3])
  func predictionsAreThoseOfTheModel(classes: Int) throws {
    let directory = try TemporaryDirectory()
    _ = try train(in: directory, classes: classes)
    let (model, data) = (directory.path("run/model.h5"), directory.path("test.csv"))
    for name in ["1.csv", "3.csv", "7.csv", "2.h5"] {
      let ranks = Int(name.prefix(1))
      try succeed(ranks, ["predict", model, data, "--output", directory.path(name)])
    }
    let (one, three, seven) = (directory.bytes("1.csv"), directory.bytes("3.csv"), directory.bytes("7.csv"))
    #expect(one == three)
    #expect(one == seven)
    for name in ["1.csv", "2.h5"] {
      let request = Request(model: model, data: data, predictions: directory.path(name))
      let answer: Answer = try Python.run(script: Self.script, input: request)
      #expect(answer.wrong_predictions == 0)
      #expect(try #require(answer.largest_score_error) < 1e-5)
    }
  }

  /// Evaluation of the stored model, on other ranks and from another format, is that of the run.
  @Test(arguments: [2, 3])
  func evaluationAgreesWithTheRun(classes: Int) throws {
    struct Evaluation: Decodable {
      struct Result: Decodable {
        let accuracy: Double
        let auc: Double?
      }
      let result: Result
    }
    let directory = try TemporaryDirectory()
    let result = try train(in: directory, classes: classes)
    let model = directory.path("run/model.h5")
    try succeed(2, ["convert", directory.path("test.csv"), directory.path("test.h5")])
    for (ranks, data) in [(1, "test.csv"), (3, "test.csv"), (2, "test.h5")] {
      try succeed(
        ranks, ["evaluate", model, directory.path(data), "--json", directory.path("\(ranks).json")])
      let evaluation = try JSONDecoder().decode(Evaluation.self, from: directory.bytes("\(ranks).json"))
      #expect(evaluation.result.accuracy == result.final.testAccuracy)
      #expect(evaluation.result.auc == result.final.testAuc)
    }
  }

  @Test func describeTellsTheSameOnAnyNumberOfRanks() throws {
    let directory = try TemporaryDirectory()
    var lines = Samples(300, width: 4, classes: 3, seed: 31).lines.map { $0 + ",17" }
    lines[100] = "0,1,,3,4,17"
    let data = try directory.write("data.csv", "y,a,b,c,d,e\n" + lines.joined(separator: "\n"))
    let one = try succeed(1, ["describe", data])
    let three = try succeed(3, ["describe", data])
    #expect(one == three)
    for phrase in ["300", "constant", "missing", "17"] {
      #expect(one.contains(phrase), "\(phrase) in\n\(one)")
    }
  }

  /// Column and class names of somebody else's file, on a terminal or not.
  @Test func namesCantMoveTheCursorAndTheLabelMayBeLast() throws {
    let directory = try TemporaryDirectory()
    let lines = Samples(60, width: 2, seed: 41).lines.map { line in
      let fields = line.split(separator: ",")
      return "\(fields[1]),\(fields[2]),\u{1B}]0;owned\u{7}\(fields[0])"
    }
    let data = try directory.write("data.csv", "a\u{1B}[2J,b,kind\n" + lines.joined(separator: "\n") + "\n")
    let ways = ["--label-column -1", "--label-column=last", "--label-column kind", "--label-column=3"].map {
      $0.split(separator: " ").map(String.init)
    }
    let texts = try ways.map { try succeed(2, ["describe", data] + $0) }
    #expect(Set(texts).count == 1 && texts[0].contains("labels from column 3 (kind)"), "\(texts)")
    #expect(texts[0].contains("a\\u001b[2J") && !texts[0].contains("\u{1B}") && !texts[0].contains("\u{7}"))
    let refused = try Program.run(ranks: 2, ["describe", data])
    #expect(refused.status == 65 && !refused.errors.contains("\u{1B}"), "\(refused.transcript)")
    #expect(refused.errors.contains("column 3 (kind)") && refused.errors.contains("--label-column"))
  }

  @Test func aConversionKeepsTheNames() throws {
    let directory = try TemporaryDirectory()
    let body = Samples(50, width: 2, seed: 41).lines.map {
      $0.replacing(/^1/, with: "signal").replacing(/^0/, with: "noise")
    }
    let csv = try directory.write("data.csv", "kind,mass,charge\n" + body.joined(separator: "\n"))
    try succeed(3, ["convert", csv, directory.path("data.h5")])
    let description = try succeed(2, ["describe", directory.path("data.h5")])
    for name in ["signal", "noise", "mass", "charge"] {
      #expect(description.contains(name), "\(description)")
    }
  }

  @Test func checkAndPrintConfigTrainNothing() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(60, seed: 1).csv)
    let configuration = try directory.configuration(train: train, test: train)
    try succeed(2, [configuration, "--check"])
    let printed = try succeed(2, [configuration, "--print-config"])
    #expect(!FileManager.default.fileExists(atPath: directory.path("run")))
    // What is printed says the same again.
    let again = try succeed(1, [directory.write("printed.toml", printed), "--print-config"])
    #expect(again == printed)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionScripts(shell: String) throws {
    let script = try succeed(nil, ["--generate-completion-script", shell])
    #expect(script.contains("evaluate"))
  }

  @Test(arguments: [["--help"], ["help", "predict"], ["--version"], ["describe", "--help"]])
  func helpComesOnce(arguments: [String]) throws {
    let one = try succeed(1, arguments)
    let three = try succeed(3, arguments)
    #expect(one == three)
    #expect(!one.isEmpty)
  }
}
