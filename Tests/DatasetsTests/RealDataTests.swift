import Datasets
import Foundation
import MPI
import TestSupport
import Testing

private let higgs = "../shared/data/higgs"
private let fashion = "/usr/share/datasets/fashion-mnist"

@Suite(.serialized) struct RealDataTests {
  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: higgs), "needs the rows of HIGGS in \(higgs)"),
    arguments: [("HIGGS-train.csv.gz", 44_881, 52.3), ("HIGGS-test.csv.gz", 6_349, 52.4)])
  func theHIGGSSample(_ name: String, _ samples: Int, _ signal: Double) throws {
    try TestWorld.with { ranks in
      let dataset = try readDataset(Source("\(higgs)/\(name)"), task: .classification, over: ranks)
      let statistics = try Statistics(of: dataset, over: ranks)
      #expect(statistics.samples == samples && statistics.columns.count == 28)
      #expect(statistics.classes.map(\.name) == ["0", "1"])
      let share = 100 * Double(statistics.classes[1].count) / Double(samples)
      #expect(abs(share - signal) < 0.05)
      #expect(statistics.columns.allSatisfy { !$0.isConstant })
    }
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: fashion), "needs Debian's package dataset-fashion-mnist"),
    arguments: [("train", 60_000), ("t10k", 10_000)])
  func fashionMNIST(_ name: String, _ samples: Int) throws {
    try TestWorld.with { ranks in
      let source = Source("\(fashion)/\(name)-images-idx3-ubyte.gz")
      let dataset = try readDataset(source, task: .classification, over: ranks)
      let statistics = try Statistics(of: dataset, over: ranks)
      #expect(statistics.samples == samples && statistics.columns.count == 784)
      #expect(statistics.classes.map(\.name) == (0...9).map(String.init))
      #expect(statistics.classes.allSatisfy { $0.count == samples / 10 })
      #expect(statistics.columns.map(\.smallest).min() == 0 && statistics.columns.map(\.largest).max() == 255)
    }
  }
}
