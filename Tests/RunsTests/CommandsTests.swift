import ADMM
import Basics
import Configuration
import Files
import Foundation
import HDF5
import LinearAlgebra
import MPI
import Models
import Networks
import Runs
import TestSupport
import Testing

/// What `body` throws, which must be a failure of this status that all ranks share.
private func message(_ status: Basics.ExitStatus, _ body: () throws -> Basics.ExitStatus) throws -> String {
  do {
    _ = try body()
  } catch let failure as Failure {
    #expect(failure.status == status && failure.isShared)
    return failure.message
  }
  Issue.record("nothing was thrown")
  return ""
}

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

/// A linear model of two features, in whole numbers so that its outputs are exact: z = W (x1, x2, 1).
private func model(_ rows: [[Float]], _ meaning: Model.Meaning, loss: Loss = .hinge) -> Model {
  Model(
    network: Network(widths: [2, rows.count], activation: .relu, loss: loss, bias: true),
    W: Layers(1..<2) { _ in Matrix(rows: rows.count, columns: 3) { rows[$0][$1] } }, standardization: nil,
    meaning: meaning, featureNames: ["x1", "x2"],
    provenance: Model.Provenance(configurationSHA256: "", seed: 1, method: "taylor", iteration: 1))
}

@Suite(.serialized) struct CommandsTests {
  private var threeClasses: Model {
    model([[1, 0, 0], [0, 1, 0], [0, 0, 3]], .classes(["a", "b,c", "d\"e"]))
  }
  private let samples = "label,x1,x2\na,5,1\nd\"e,1,2\na,4,4\n\"b,c\",0,9\na,0,0\n"

  /// Ties go to the first class; names with commas and quotes are quoted.
  @Test func predictionsAsText() throws {
    try withFiles(["data.csv": samples]) { directory, ranks in
      try threeClasses.write(to: directory + "/m.h5", over: ranks)
      _ = try predict(
        modelPath: directory + "/m.h5", dataPath: directory + "/data.csv", settings: [],
        outputPath: directory + "/out.csv", force: false, isQuiet: true, over: ranks)
      #expect(
        try text(directory + "/out.csv") == """
          score a,"score b,c","score d""e",class
          5.0,1.0,3.0,a
          1.0,2.0,3.0,"d""e"
          4.0,4.0,3.0,a
          0.0,9.0,3.0,"b,c"
          0.0,0.0,3.0,"d""e"

          """)
      #expect(!FileManager.default.fileExists(atPath: directory + "/out.csv.part"))
    }
  }

  @Test func predictionsAsHDF5() throws {
    try withFiles(["data.csv": samples]) { directory, ranks in
      try threeClasses.write(to: directory + "/m.h5", over: ranks)
      _ = try predict(
        modelPath: directory + "/m.h5", dataPath: directory + "/data.csv", settings: [],
        outputPath: directory + "/out.h5", force: false, isQuiet: true, over: ranks)
      let file = try HDF5File(reading: directory + "/out.h5")
      #expect(try file.array("scores").shape == [5, 3])
      let scores: [Float] = try file.array("scores").values()
      #expect(scores == [5, 1, 3, 1, 2, 3, 4, 4, 3, 0, 9, 3, 0, 0, 3])
      let classes: [Int] = try file.array("classes").values()
      #expect(classes == [0, 2, 0, 1, 2])
      #expect(try file.array("class_names").strings() == ["a", "b,c", "d\"e"])
      try file.close()
    }
  }

  /// The targets of a regression come back in their own unit, from a file with labels and from one without.
  @Test func predictionsOfATarget() throws {
    try withFiles(["with.csv": "0,1,2\n0,3,0\n", "without.csv": "1,2\n3,0\n"]) { directory, ranks in
      try model([[1, 1, 0]], .target(mean: 10, scale: 2), loss: .square).write(
        to: directory + "/m.h5", over: ranks)
      for name in ["with", "without"] {
        _ = try predict(
          modelPath: directory + "/m.h5", dataPath: directory + "/\(name).csv", settings: [],
          outputPath: directory + "/\(name)-out.csv", force: false, isQuiet: true, over: ranks)
        #expect(try text(directory + "/\(name)-out.csv") == "prediction\n16.0\n16.0\n")
      }
    }
  }

  @Test func anExistingOutputIsKeptUnlessForced() throws {
    try withFiles(["data.csv": samples, "out.csv": "mine", "out.h5": "mine"]) { directory, ranks in
      try threeClasses.write(to: directory + "/m.h5", over: ranks)
      let (data, out) = (directory + "/data.csv", directory + "/out.csv")
      #expect(
        try message(.inputOutput) {
          try predict(
            modelPath: directory + "/m.h5", dataPath: data, settings: [], outputPath: out, force: false,
            isQuiet: true, over: ranks)
        }.contains("--force"))
      #expect(
        try message(.inputOutput) {
          try convert(
            inputPath: data, outputPath: directory + "/out.h5", settings: [], force: false, isQuiet: true,
            over: ranks)
        }.contains("--force"))
      for kept in ["out.csv", "out.h5"] { #expect(try text(directory + "/" + kept) == "mine") }
      try ranks.barrier()
      _ = try predict(
        modelPath: directory + "/m.h5", dataPath: data, settings: [], outputPath: out, force: true,
        isQuiet: true, over: ranks)
      #expect(try text(out).hasPrefix("score a,"))
    }
  }

  @Test func anOutputOfUnknownKindIsRefused() throws {
    try TestWorld.with { ranks in
      let said = try message(.usage) {
        try predict(
          modelPath: "m.h5", dataPath: "d.csv", settings: [], outputPath: "out.txt", force: false,
          isQuiet: true,
          over: ranks)
      }
      #expect(said.contains(".csv or .h5"))
    }
  }

  /// The mean square of standardised errors 0, 1 and 2, times the scale 2: √(5/3) · 2.
  @Test func evaluationOfATargetIsInItsOwnUnit() throws {
    try withFiles(["data.csv": "16,1,2\n18,3,0\n20,1,2\n"]) { directory, ranks in
      try model([[1, 1, 0]], .target(mean: 10, scale: 2), loss: .square).write(
        to: directory + "/m.h5", over: ranks)
      _ = try evaluate(
        modelPath: directory + "/m.h5", dataPath: directory + "/data.csv", settings: [],
        jsonPath: directory + "/out.json", isQuiet: true, over: ranks)
      struct Outcome: Decodable {
        struct Result: Decodable { let samples: Int, rmse: Double, mae: Double }
        let result: Result
      }
      let outcome = try JSONDecoder().decode(
        Outcome.self, from: Data(contentsOf: URL(filePath: directory + "/out.json")))
      #expect(outcome.result.samples == 3)
      #expect(abs(outcome.result.rmse - 2 * (5.0 / 3).squareRoot()) < 1e-6)
      #expect(abs(outcome.result.mae - 2) < 1e-6)
    }
  }

  /// A model of one class against all others takes the labels of all classes.
  @Test func evaluationOfOneClassAgainstTheOthers() throws {
    try withFiles(["data.csv": "7,1,0\n3,-1,0\n5,2,0\n7,-3,0\n"]) { directory, ranks in
      try model([[1, 0, 0]], .classes(["not 7", "7"])).write(to: directory + "/m.h5", over: ranks)
      _ = try evaluate(
        modelPath: directory + "/m.h5", dataPath: directory + "/data.csv", settings: [],
        jsonPath: directory + "/out.json", isQuiet: true, over: ranks)
      struct Outcome: Decodable {
        struct Result: Decodable { let accuracy: Double, confusion: [[Int]] }
        let result: Result
      }
      let outcome = try JSONDecoder().decode(
        Outcome.self, from: Data(contentsOf: URL(filePath: directory + "/out.json")))
      #expect(outcome.result.accuracy == 0.5)
      #expect(outcome.result.confusion == [[1, 1], [1, 1]])
    }
  }

  @Test func dataThatDoNotFitTheModelAreRefused() throws {
    try withFiles([
      "strange.csv": "label,x1,x2\na,1,1\nz,1,2\n", "wide.csv": "label,x1,x2,x3\na,1,2,3\n",
      "bare.csv": "x1,x2\n1,1\n",
    ]) { directory, ranks in
      try threeClasses.write(to: directory + "/m.h5", over: ranks)
      for (name, settings, phrase) in [
        ("strange", [], "\"z\""), ("wide", [], "2 features"),
        ("bare", [DataSetting(key: "label_column", option: "--label-column", value: "none")], "no labels"),
        ("strange", [DataSetting(key: "classes", option: "--classes", value: "[\"a\", \"z\"]")], "--classes"),
      ] {
        let said = try message(.badData) {
          try evaluate(
            modelPath: directory + "/m.h5", dataPath: directory + "/\(name).csv", settings: settings,
            jsonPath: nil, isQuiet: true, over: ranks)
        }
        #expect(said.contains(phrase), "\(said)")
      }
    }
  }
}
