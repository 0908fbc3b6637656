import Foundation
import TestSupport
import Testing

/// Iterates that diverge are gone back from; where that does not help, the run ends with 70 and a model that is finite.
@Suite struct DivergenceTests {
  /// Runs on 1, 2 and 3 ranks, which must end alike and with the same weights; returns the last one.
  private func outcomes(
    _ directory: borrowing TemporaryDirectory, _ configuration: String, _ settings: [String], status: Int32
  ) throws -> (outcome: Outcome, result: RunResult) {
    var found: [(outcome: Outcome, result: RunResult)] = []
    for ranks in [1, 2, 3] {
      let outcome = try Program.run(ranks: ranks, [configuration] + settings.flatMap { ["--set", $0] })
      #expect(outcome.status == status, "\(outcome.transcript)")
      found.append((outcome, try directory.result()))
    }
    #expect(Set(found.map(\.result.weightsSha256)).count == 1)
    #expect(Set(found.map(\.result.iterations)).count == 1)
    let texts = found.map {
      $0.result.warnings.filter { $0.contains("Back to iteration") || $0.contains("The run ends.") }
    }
    #expect(texts.allSatisfy { $0.count == texts[0].count })
    return found[2]
  }

  /// How often a run went back.
  private func returns(_ result: RunResult) -> Int {
    result.warnings.count { $0.contains("Back to iteration") }
  }

  /// What is saved can be read and applied, which a model with a NaN can't.
  private func expectSoundModel(_ directory: borrowing TemporaryDirectory, width: Int) throws {
    let data = try directory.write("d.csv", Samples(20, width: width, seed: 1).csv)
    let outcome = try Program.run(ranks: nil, ["evaluate", directory.path("run/model.h5"), data])
    #expect(outcome.status == 0, "\(outcome.transcript)")
  }

  /// Nothing helps: two returns, and the third divergence is the end.
  @Test(arguments: [
    ["training.method=sgd", "sgd.rate=1e9"], ["training.method=adam", "adam.rate=1e25"],
    ["training.method=taylor", "taylor.multiplier=last", "taylor.dual_step=1e12", "taylor.warm_start=1"],
  ])
  func theThirdDivergenceIsTheEnd(settings: [String]) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 1000\nsynthetic_features = 5")
    let (outcome, result) = try outcomes(
      directory, configuration, settings + ["training.iterations=12"], status: 70)
    #expect(result.status == "diverged" && result.exitStatus == 70)
    #expect(returns(result) == 2, "\(outcome.transcript)")
    #expect(outcome.errors.contains("The run ends."))
    try expectSoundModel(directory, width: 5)
  }

  /// Half the rate is enough, a few times over: the run comes to its end.
  @Test func aRateThatIsHalvedLearns() throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(
      data: "synthetic = 1000\nsynthetic_features = 5\ntask = \"regression\"")
    let (_, result) = try outcomes(
      directory, configuration,
      [
        "training.method=sgd", "sgd.rate=50", "sgd.schedule=constant", "stop.divergences=60",
        "training.iterations=40",
      ], status: 0)
    #expect(result.status == "max_iterations" && result.iterations == 40)
    #expect(returns(result) > 0)
    let lines = directory.text("run/iterations.jsonl").split(separator: "\n")
    #expect(lines.count == 40 && lines.contains { $0.contains("begun again with the rate") })
  }

  /// An objective beyond the factor is a divergence, though all numbers are finite.
  @Test func aRiseBeyondTheFactorIsADivergence() throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 1000\nsynthetic_features = 5")
    let settings = [
      "training.method=consistent", "consistent.momentum=0.999", "consistent.penalty=1e-3",
      "consistent.safeguard=false", "consistent.proximal=1e-9", "training.iterations=30",
    ]
    let (_, lenient) = try outcomes(
      directory, configuration, settings + ["stop.divergence_factor=1e30", "stop.divergences=100"], status: 0)
    #expect(returns(lenient) == 0)
    let (outcome, strict) = try outcomes(
      directory, configuration, settings + ["stop.divergence_factor=1.5", "stop.divergences=100"], status: 0)
    #expect(
      returns(strict) > 0 && outcome.errors.contains("the objective rose from "), "\(outcome.transcript)")
    // The first divergence may be the end, too.
    let (_, first) = try outcomes(
      directory, configuration, settings + ["stop.divergence_factor=1.5", "stop.divergences=1"], status: 70)
    #expect(returns(first) == 0)
    try expectSoundModel(directory, width: 5)
  }

  /// One number of one sample is too large to be squared: its sample, feature, rank and host are told.
  @Test(arguments: ["taylor", "accelerated"]) func theSampleThatIsTooLargeIsNamed(method: String) throws {
    let directory = try TemporaryDirectory()
    var lines = Samples(300, width: 5, seed: 3).lines
    lines[216] = "1,2,3,1e30,5,6"
    let train = try directory.write("train.csv", lines.map { $0 + "\n" }.joined())
    let configuration = try directory.configuration(train: train, data: "standardize = false")
    for (ranks, rank) in [(1, 0), (3, 2)] {
      let outcome = try Program.run(ranks: ranks, [configuration, "--set", "training.method=\(method)"])
      #expect(outcome.status == 70, "\(outcome.transcript)")
      let place =
        "Training sample 217 (rank \(rank) on \(ProcessInfo.processInfo.hostName)) has 1e+30 in feature "
      #expect(outcome.errors.contains(place), "\(outcome.transcript)")
    }
  }
}
