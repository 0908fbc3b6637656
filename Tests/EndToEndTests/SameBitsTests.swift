import Foundation
import TestSupport
import Testing

/// The number of ranks decides how long a run takes, not what comes out.
@Suite struct SameBitsTests {
  /// The fingerprints of the weights for each number of ranks; each run must end well.
  private func fingerprints(
    _ directory: borrowing TemporaryDirectory, _ arguments: [String], ranks: [Int], limit: Int = 60
  ) throws -> [String] {
    try ranks.map { ranks in
      let outcome = try Program.run(ranks: ranks, arguments, limit: limit)
      try #require(outcome.status == 0, "\(ranks) ranks: \(outcome.transcript)")
      let result = try directory.result()
      #expect(result.ranks == ranks)
      #expect(result.weightsSha256.count == 64)
      return result.weightsSha256
    }
  }

  /// Nets and data: binary and several classes, one and two hidden layers, chunks much smaller than a rank's part.
  @Test(arguments: [
    (classes: 2, hidden: "[8]", loss: "hinge", preset: "robust"),
    (classes: 2, hidden: "[8]", loss: "hinge", preset: "paper"),
    (classes: 3, hidden: "[7, 5]", loss: "softmax", preset: "robust"),
    (classes: 4, hidden: "[6]", loss: "squared_hinge", preset: "robust"),
  ])
  func weightsDependNotOnTheNumberOfRanks(classes: Int, hidden: String, loss: String, preset: String) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(1_001, classes: classes, seed: 11).csv)
    let arguments = [
      try directory.configuration(train: train, "[taylor]\npreset = \"\(preset)\""),
      "--set", "network.hidden=\(hidden)", "--set", "network.loss=\(loss)", "--set", "training.chunk=64",
    ]
    let found = try fingerprints(directory, arguments, ranks: [1, 2, 3, 4, 7])
    #expect(Set(found).count == 1, "\(found)")
    // The fingerprint tells something: another seed has another one.
    let other = try fingerprints(directory, arguments + ["--set", "training.seed=99"], ranks: [2])
    #expect(!found.contains(other[0]))
  }

  /// Every method but Algorithm 1 as published, which has its own tests above; steps on blocks and on all samples.
  static let methods = [
    ["method=accelerated", "accelerated.block=128"],
    ["method=accelerated", "accelerated.block=1000", "accelerated.pairs=3"],
    ["method=accelerated", "accelerated.form=momentum", "accelerated.block=128"],
    ["method=accelerated", "accelerated.form=momentum", "accelerated.block=1000"],
    ["method=consistent"],
    ["method=sgd", "sgd.block=64"], ["method=adam", "adam.block=100"], ["method=cg"], ["method=lbfgs"],
  ]

  @Test(arguments: methods) func noMethodsWeightsDependOnRanksOrThreads(_ settings: [String]) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(1_001, classes: 3, seed: 21).csv)
    let common = [
      "network.hidden=[7, 5]", "network.loss=softmax", "training.chunk=32", "training.keep_best=false",
      "training.iterations=6", "training.\(settings[0])",
    ]
    let options = (common + settings.dropFirst()).flatMap { ["--set", $0] }
    let arguments = [try directory.configuration(train: train)] + options
    let found = try fingerprints(directory, arguments, ranks: [1, 2, 3, 7])
    let threads = try fingerprints(
      directory, arguments + ["--set", "training.threads_per_rank=3"], ranks: [1, 2])
    #expect(Set(found + threads).count == 1, "\(found + threads)")
    let other = try fingerprints(directory, arguments + ["--set", "training.iterations=7"], ranks: [2])
    #expect(!found.contains(other[0]))
  }

  /// Two threads share a rank's chunks, seven have more than there are.
  @Test func weightsDependNotOnTheNumberOfThreads() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(1_001, classes: 3, seed: 12).csv)
    let configuration = try directory.configuration(train: train)
    let found = try [1, 2, 7].map { threads in
      let arguments = [
        configuration, "--set", "training.chunk=128", "--set", "training.threads_per_rank=\(threads)",
      ]
      let fingerprint = try fingerprints(directory, arguments, ranks: [2])[0]
      #expect(try directory.result().threadsPerRank == threads)
      return fingerprint
    }
    #expect(Set(found).count == 1, "\(found)")
  }

  @Test func moreRanksThanSamples() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(5, seed: 3).csv)
    let arguments = [try directory.configuration(train: train, test: train)]
    let found = try fingerprints(directory, arguments, ranks: [1, 2, 7])
    #expect(Set(found).count == 1, "\(found)")
  }

  /// One data set in four formats is one data set.
  @Test func weightsDependNotOnTheFormat() throws {
    let directory = try TemporaryDirectory()
    let samples = Samples(600, classes: 3, seed: 5)
    let csv = try directory.write("train.csv", samples.csv)
    let zipped = try Program.run(command: ["gzip", "--keep", csv])
    try #require(zipped.status == 0, "\(zipped.transcript)")
    let converted = try Program.run(ranks: 2, ["convert", csv, directory.path("train.h5")])
    try #require(converted.status == 0, "\(converted.transcript)")
    try directory.write("train-labels-idx1-ubyte", samples.idxLabels)
    let files = [
      csv, directory.path("train.csv.gz"), directory.path("train.h5"),
      try directory.write("train-images-idx3-ubyte", samples.idxImages(height: 3)),
    ]
    let found = try files.map {
      try fingerprints(directory, [directory.configuration(train: $0)], ranks: [3])[0]
    }
    #expect(Set(found).count == 1, "\(zip(files, found).map { $0 + " " + $1 })")
  }

  @Test(.enabled("\(HiggsSample.howToGet)") { HiggsSample.isAvailable })
  func weightsOfTheHiggsSample() throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(
      train: HiggsSample.train, test: HiggsSample.test, "[taylor]\npreset = \"paper\"")
    let arguments = [
      configuration, "--set", "network.hidden=[300]", "--set", "training.iterations=20",
      "--set", "output.evaluate_every=20",
    ]
    let found = try fingerprints(directory, arguments, ranks: [1, 2, 3, 4, 7], limit: 240)
    #expect(Set(found).count == 1, "\(found)")
  }
}
