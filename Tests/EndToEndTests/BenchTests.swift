import Foundation
import TestSupport
import Testing

/// `admm-mpi bench` measures everything, on any number of ranks, and says so twice. How fast anything is stays out
/// of the tests.
@Suite struct BenchTests {
  /// What the tests read of the file of `--json`.
  private struct Report: Decodable {
    struct Extremes: Decodable {
      let min: Double
      let median: Double
      let max: Double

      var isSound: Bool { min > 0 && min <= median && median <= max && max.isFinite }
    }
    struct Measurement: Decodable {
      let name: String
      let by: String
      let shape: String
      let unit: String
      let value: Extremes
      let secondsPerCall: Extremes
      let gbPerSecond: Extremes?
      let slowestRank: Int
    }
    let ranks: Int
    let layers: [Int]
    let bytesReducedPerIteration: Int
    let measurements: [Measurement]
  }

  /// Runs `bench` with `arguments` and returns its output and what it has left.
  private func bench(_ ranks: Int?, _ arguments: [String]) throws -> (output: String, report: Report) {
    let directory = try TemporaryDirectory()
    let json = directory.path("bench.json")
    let outcome = try Program.run(
      ranks: ranks, ["bench", "--seconds", "0.001", "--json", json] + arguments, limit: 120)
    try #require(outcome.status == 0, "\(outcome.transcript)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (outcome.output, try decoder.decode(Report.self, from: directory.bytes("bench.json")))
  }

  @Test(arguments: [nil, 1, 2])
  func everythingIsMeasured(ranks: Int?) throws {
    let (output, report) = try bench(ranks, ["--widths", "5-9-7-3"])
    #expect(report.ranks == ranks ?? 1)
    #expect(report.layers == [5, 9, 7, 3])
    let names = Set(report.measurements.map(\.name))
    let products =
      ["square", "a_1 a_1ᵀ", "a_2 a_2ᵀ"]
      + (1...3).flatMap { ["W_\($0) a_\($0 - 1)", "z_\($0) a_\($0 - 1)ᵀ"] }
    for name in products + [
      "z_1, relu", "a_1, relu", "z_2, relu", "a_2, relu", "z_3, hinge", "memory, a = b + s·c",
    ] {
      #expect(names.contains(name), "\(name) in \(names)")
    }
    #expect(names.contains { $0.hasPrefix("allreduce") } == (report.ranks > 1))
    let lines = output.split(separator: "\n")
    for row in report.measurements {
      #expect(row.value.isSound && row.secondsPerCall.isSound && row.gbPerSecond?.isSound != false, "\(row)")
      #expect((0..<report.ranks).contains(row.slowestRank))
      // The same in the table.
      #expect(
        lines.contains {
          $0.hasPrefix(row.name) && $0.contains(row.by) && $0.contains(row.shape) && $0.contains(row.unit)
        },
        "\(row) in\n\(output)")
    }
  }

  @Test func theWidthsComeFromTheConfigurationAndItsData() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(60, width: 6, classes: 3, seed: 61).csv)
    let configuration = try directory.configuration(train: train, data: "classes = [0, 1, 2]")
    let report = try bench(2, [configuration]).report
    #expect(report.layers == [6, 8, 3])
    // The reduction that is timed is the run's.
    let run = try Program.run(ranks: 2, [configuration])
    try #require(run.status == 0, "\(run.transcript)")
    let bytes = try directory.result().bytesReducedPerIteration
    #expect(report.bytesReducedPerIteration == bytes)
    #expect(
      try bench(1, [configuration, "--features", "4", "--outputs", "1", "--set", "network.hidden=[5, 2]"])
        .report.layers == [4, 5, 2, 1])
    let synthetic = try directory.write(
      "synthetic.toml", "[data]\nsynthetic = 100\nsynthetic_features = 11\nsynthetic_classes = 4\n")
    #expect(try bench(1, [synthetic, "--set", "network.hidden=[5]"]).report.layers == [11, 5, 4])
  }

  @Test(arguments: [
    ["--widths", "28"], ["--widths", "28-0-1"], ["--widths", "28-x-1"], ["--seconds", "0"],
    ["--widths", "28-1", "--features", "3"], ["--set", "network.hidden=[3]"],
  ])
  func wrongOptionsAreRefused(arguments: [String]) throws {
    let outcome = try Program.run(ranks: 2, ["bench"] + arguments)
    #expect(outcome.status == 64 && !outcome.isTimedOut, "\(outcome.transcript)")
  }
}
