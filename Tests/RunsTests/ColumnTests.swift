import ADMM
import Basics
import Configuration
import Datasets
import Foundation
import LinearAlgebra
import MPI
import Models
import Networks
import Runs
import TestSupport
import Testing

/// Columns of data sets are those of the model by their names, in any order, or are refused by name.
@Suite(.serialized) struct ColumnTests {
  /// z = x1 + 10 x2 of two features called a and b, and the label's column y between them.
  private func model(
    names: ColumnNames = ColumnNames(features: ["a", "b"], label: LabelPlace(name: "y", number: 2)),
    loss: Loss = .hinge
  ) -> Model {
    Model(
      network: Network(widths: [2, 1], activation: .relu, loss: loss, bias: true),
      W: Layers(1..<2) { _ in Matrix(rows: 1, columns: 3) { [1, 10, 0][$1] } }, standardization: nil,
      meaning: .classes(["0", "1"]), featureNames: names.features ?? ["x1", "x2"], columns: names,
      provenance: Model.Provenance(configurationSHA256: "", seed: 1, method: "taylor", iteration: 1))
  }

  private func regressor() -> Model {
    let names = ColumnNames(features: ["a", "b"], label: LabelPlace(name: "y", number: 2))
    return Model(
      network: Network(widths: [2, 1], activation: .relu, loss: .square, bias: true),
      W: Layers(1..<2) { _ in Matrix(rows: 1, columns: 3) { [1, 10, 0][$1] } }, standardization: nil,
      meaning: .target(mean: 0, scale: 1), featureNames: ["a", "b"], columns: names,
      provenance: Model.Provenance(configurationSHA256: "", seed: 1, method: "taylor", iteration: 1))
  }

  private func withFile(
    _ text: String, _ model: borrowing Model,
    _ body: (_ directory: String, borrowing Communicator) throws -> Void
  ) throws {
    try TestWorld.with { ranks in
      let own = try TemporaryDirectory()
      let directory = try ranks.broadcast(own.url.path)
      if ranks.isRoot { try text.write(toFile: own.path("d.csv"), atomically: true, encoding: .utf8) }
      try model.write(to: directory + "/m.h5", over: ranks)
      try body(directory, ranks)
      try ranks.barrier()
      _ = own.url
    }
  }

  private func predictions(_ directory: String, over ranks: borrowing Communicator) throws -> String {
    _ = try predict(
      modelPath: directory + "/m.h5", dataPath: directory + "/d.csv", settings: [],
      outputPath: directory + "/p.csv", force: true, isQuiet: true, over: ranks)
    let text = try String(contentsOfFile: directory + "/p.csv", encoding: .utf8)
    try ranks.barrier()
    return text
  }

  private func accuracy(_ directory: String, over ranks: borrowing Communicator) throws -> Double {
    _ = try evaluate(
      modelPath: directory + "/m.h5", dataPath: directory + "/d.csv", settings: [],
      jsonPath: directory + "/e.json", isQuiet: true, over: ranks)
    struct Outcome: Decodable {
      struct Result: Decodable { let accuracy: Double }
      let result: Result
    }
    let data = try Data(contentsOf: URL(filePath: directory + "/e.json"))
    try ranks.barrier()
    return try JSONDecoder().decode(Outcome.self, from: data).result.accuracy
  }

  private func refusal(_ status: Basics.ExitStatus = .badData, _ body: () throws -> Void) throws -> String {
    let failure = try #require(throws: Failure.self, performing: body)
    #expect(failure.status == status && failure.isShared)
    return failure.message
  }

  @Test(arguments: [
    "a,y,b\n1,1,2\n-3,0,-1\n", "y,a,b\n1,1,2\n0,-3,-1\n", "b,a,y\n2,1,1\n-1,-3,0\n",
    "b,y,a\n2,1,1\n-1,0,-3\n", "1,1,2\n-3,0,-1\n", "\"b\";a;\"y\"\n2;1;1\n-1;-3;0\n",
  ])
  func anyOrderHasTheSameOutputs(text: String) throws {
    try withFile(text, model()) { directory, ranks in
      let found = try predictions(directory, over: ranks)
      #expect(found == "score,class\n21.0,1\n-13.0,0\n")
      let share = try accuracy(directory, over: ranks)
      #expect(share == 1)
    }
  }

  @Test(arguments: ["b,a\n2,1\n-1,-3\n", "a,b\n1,2\n-3,-1\n", "1,2\n-3,-1\n"])
  func dataWithoutLabelsArePredictedAndNotEvaluated(text: String) throws {
    try withFile(text, model()) { directory, ranks in
      let found = try predictions(directory, over: ranks)
      #expect(found == "score,class\n21.0,1\n-13.0,0\n")
      let said = try refusal { _ = try accuracy(directory, over: ranks) }
      #expect(said.contains("--label-column"), "\(said)")
    }
  }

  @Test(arguments: [
    ("a,y,c\n1,1,2\n", "has no column \"b\""), ("A,y,b\n1,1,2\n", "has no column \"a\""),
    ("a,y,b,c\n1,1,2,3\n", "has the column \"c\""), ("a,b,z\n1,2,1\n", "has the column \"z\""),
    ("a,b,b,y\n1,2,2,1\n", "columns"),
  ])
  func otherColumnsAreRefusedByName(text: String, phrase: String) throws {
    try withFile(text, model()) { directory, ranks in
      let said = try refusal { _ = try predictions(directory, over: ranks) }
      #expect(said.contains(phrase) && said.contains("d.csv"), "\(said)")
      _ = try refusal { _ = try accuracy(directory, over: ranks) }
    }
  }

  /// Labels need not be there, nor be labels: predictions don't use them.
  @Test func labelsAreNotLookedAtInPredictions() throws {
    let rows = (0..<1_100).map { "1,\($0 % 2 == 0 ? "" : "id \($0).5"),2\n" }.joined()
    for target in [false, true] {
      let model = target ? regressor() : model()
      try withFile("a,y,b\n" + rows, model) { directory, ranks in
        let lines = try predictions(directory, over: ranks).split(separator: "\n")
        #expect(lines.count == 1_101 && lines.dropFirst().allSatisfy { $0 == (target ? "21.0" : "21.0,1") })
      }
    }
  }

  /// A model that knows its features' names alone, such as one trained on HDF5.
  @Test func theColumnThatIsNoFeatureIsTheLabel() throws {
    try withFile("b,a,z\n2,1,1\n-1,-3,1\n", model(names: ColumnNames(features: ["a", "b"]))) {
      directory, ranks in
      let found = try predictions(directory, over: ranks)
      #expect(found == "score,class\n21.0,1\n-13.0,0\n")
      let share = try accuracy(directory, over: ranks)
      #expect(share == 0.5)
    }
  }

  /// Without names the label's number counts.
  @Test func aPlaceIsRemembered() throws {
    let names = ColumnNames(label: LabelPlace(number: 3))
    for text in ["1,2,1\n-3,-1,0\n", "u,v,w\n1,2,1\n-3,-1,0\n", "1,2\n-3,-1\n"] {
      try withFile(text, model(names: names)) { directory, ranks in
        let found = try predictions(directory, over: ranks)
        #expect(found == "score,class\n21.0,1\n-13.0,0\n")
      }
    }
  }

  @Test func anOptionHasTheLastWord() throws {
    try withFile("a,y,b,t\n1,0,2,1\n", model()) { directory, ranks in
      let said = try refusal {
        _ = try evaluate(
          modelPath: directory + "/m.h5", dataPath: directory + "/d.csv",
          settings: [DataSetting(key: "label_column", option: "--label-column", value: "t")], jsonPath: nil,
          isQuiet: true, over: ranks)
      }
      #expect(said.contains("has the column \"y\""))
    }
  }

  /// σ(21) and σ(−13) in single precision; for the positive class, the second.
  @Test func probabilitiesBesideScores() throws {
    try withFile("a,y,b\n1,1,2\n-3,0,-1\n0,0,0\n", model(loss: .logistic)) { directory, ranks in
      let lines = try predictions(directory, over: ranks).split(separator: "\n")
      #expect(lines[0] == "score,probability,class" && lines[3] == "0.0,0.5,0")
      let p = lines[2].split(separator: ",")
      let probability = try #require(Double(p[1]))
      #expect(abs(probability - 1 / (1 + exp(13))) < 1e-12)
    }
  }

  // MARK: The test set of a training

  private func configuration(_ directory: String, _ labelColumn: String) throws -> Configuration {
    try Configuration(
      text: """
        [data]
        train = "train.csv"
        test = "test.csv"
        label_column = \(labelColumn)
        """, file: directory + "/c.toml", currentDirectory: "/")
  }

  @Test(arguments: ["1", "\"y\""])
  func theTestSetTakesTheTrainingSetsOrder(labelColumn: String) throws {
    let train = "y,a,b\n1,1,20\n0,3,10\n1,5,40\n"
    for (test, phrase) in [
      ("y,a,b\n1,1,20\n0,3,10\n", nil), ("b,y,a\n20,1,1\n10,0,3\n", nil), ("y,b,a\n1,20,1\n0,10,3\n", nil),
      ("1,1,20\n0,3,10\n", labelColumn == "1" ? nil : "y"), ("y,a,c\n1,1,20\n", "has no column \"b\""),
      ("y,a,b,c\n1,1,20,3\n", "has the column \"c\", which the training set does not have"),
    ] {
      try TestWorld.with { ranks in
        let own = try TemporaryDirectory()
        let directory = try ranks.broadcast(own.url.path)
        if ranks.isRoot {
          try train.write(toFile: own.path("train.csv"), atomically: true, encoding: .utf8)
          try test.write(toFile: own.path("test.csv"), atomically: true, encoding: .utf8)
        }
        try ranks.barrier()
        let configuration = try configuration(directory, labelColumn)
        if let phrase {
          let failure = #expect(throws: Failure.self) {
            _ = try TrainingData.read(configuration, over: ranks) { _, _ in }.classNames
          }
          #expect(failure?.message.contains(phrase) == true, "\(failure?.message ?? "")")
        } else {
          let data = try TrainingData.read(configuration, over: ranks) { _, _ in }
          let sets = data.sets
          #expect(sets.count == 2)
          // Both begin with the same sample: the same numbers.
          if ranks.size == 1 {
            let (train, test) = (sets[0].a0.columns(0..<1).nested, sets[1].a0.columns(0..<1).nested)
            #expect(train == test)
          }
        }
        try ranks.barrier()
        _ = own.url
      }
    }
  }
}
