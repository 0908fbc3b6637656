import Basics
import Configuration
import Files
import Foundation
import MPI
import Runs
import TestSupport
import Testing

/// What both `--check` and training say of a configuration in a directory of these files, and their status.
private func refusals(
  _ files: [String: String], _ settings: [String] = []
) throws -> (check: Failure?, train: Failure?) {
  try withFiles(files) { directory, ranks in
    func failure(_ body: (Configuration) throws -> Void) throws -> Failure? {
      do {
        let hasTrain = files["train.csv"] != nil
        let hasTest = files["test.csv"] != nil
        try body(
          try Configuration(
            text: (hasTrain ? "data.train = 'train.csv'\n" : "") + (hasTest ? "data.test = 'test.csv'\n" : "")
              + "training.iterations = 2\n",
            file: directory + "/x.toml", currentDirectory: directory, settings: settings))
        return nil
      } catch let failure as Failure {
        #expect(failure.isShared)
        return failure
      }
    }
    let checked = try failure { configuration in
      _ = try check(configuration, over: ranks)
      #expect(!FileManager.default.fileExists(atPath: configuration.output.directory))
    }
    let trained = try failure { configuration in
      var configuration = configuration
      configuration.output.directory = directory + "/run"
      _ = try train(configuration, isQuiet: true, over: ranks)
    }
    return (checked, trained)
  }
}

private func rows(_ count: Int, _ row: (Int) -> String) -> String {
  (0..<count).map { row($0) + "\n" }.joined()
}

@Suite(.serialized) struct CheckTests {
  @Test(arguments: [
    // The label is in the last column.
    (["train.csv": rows(60) { "\($0),\(60 - $0),\($0 % 2 == 0 ? "no" : "yes")" }], Basics.ExitStatus.badData),
    (["train.csv": rows(60) { "\($0 % 2),\($0),red" }], .badData),
    (["train.csv": rows(60) { "\($0 % 2),\($0 == 40 ? "" : "1"),\($0)" }], .badData),
    (["train.csv": rows(60) { "1,\($0),2" }], .badData),
    (["train.csv": rows(60) { "\($0 % 2),\($0)" }, "test.csv": rows(9) { "\($0 % 3),\($0)" }], .badData),
    (["train.csv": rows(60) { "\($0 % 2),\($0)" }, "test.csv": rows(9) { "\($0 % 2),\($0),1" }], .badData),
    (["train.csv": ""], .badData), (["train.csv": rows(60) { $0 == 50 ? "1" : "\($0 % 2),\($0)" }], .badData),
  ])
  func checkSaysWhatTrainingWould(_ files: [String: String], _ status: Basics.ExitStatus) throws {
    let (check, train) = try refusals(files)
    let (checked, trained) = (try #require(check), try #require(train))
    #expect(checked.message == trained.message)
    #expect(checked.status == status && trained.status == status, "\(checked)")
  }

  @Test func aMissingFileIsToldAlike() throws {
    let (check, train) = try refusals([:], ["data.train=absent.csv"])
    #expect(check?.message == train?.message && check?.status == .noInput)
  }

  @Test func whatTrainsIsInOrder() throws {
    let (check, train) = try refusals(
      ["train.csv": rows(60) { "\($0 % 3),\($0),\($0 % 7)" }, "test.csv": rows(9) { "\($0 % 3),\($0),1" }])
    #expect(check == nil && train == nil, "\(check?.message ?? "") \(train?.message ?? "")")
  }

  /// What no machine has room for is refused before it is asked for.
  @Test(arguments: [
    ["network.hidden=[1000000,1000000]"], ["network.hidden=[1000000,1000000]", "training.method=taylor"],
    ["network.hidden=[300000,300000]", "training.method=consistent"],
    ["network.hidden=[300000,300000]", "baselines.methods=[\"lbfgs\"]", "training.method=adam"],
    [
      "network.hidden=[\(Array(repeating: "1000000", count: 100).joined(separator: ","))]",
      "accelerated.pairs=1000", "training.threads_per_rank=1024",
    ],
  ])
  func aNetworkWithoutRoomIsRefused(_ settings: [String]) throws {
    let (check, train) = try refusals(["train.csv": rows(60) { "\($0 % 2),\($0)" }], settings)
    for failure in [check, train] {
      #expect(
        failure?.status == .noMemory && failure?.message.contains("hidden in [network]") == true,
        "\(failure?.message ?? "")")
    }
  }

  @Test(arguments: [
    ["data.synthetic=1000000000000"], ["data.synthetic=100000000", "data.synthetic_features=1000000"],
    ["data.synthetic=100", "data.synthetic_test=1000000000000"],
    ["data.synthetic=1000000000000", "data.synthetic_features=1000000", "training.chunk=1000000000000"],
  ])
  func samplesWithoutRoomAreRefused(_ settings: [String]) throws {
    let (check, train) = try refusals([:], settings)
    for failure in [check, train] {
      #expect(
        failure?.status == .noMemory && failure?.message.contains("fewer samples") == true,
        "\(failure?.message ?? "")")
    }
  }
}
