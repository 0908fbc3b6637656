import Datasets
import Foundation
import MPI
import TestSupport
import Testing

private let fashion = "/usr/share/datasets/fashion-mnist"

@Suite(.serialized) struct RealDataTests {
  /// Rows of HIGGS, of which half are signal; no feature is constant, and no row is lost.
  @Test(
    .enabled("\(HiggsSample.howToGet)") { HiggsSample.isAvailable },
    arguments: [HiggsSample.train, HiggsSample.test])
  func theHIGGSSample(_ path: String) throws {
    try TestWorld.with { ranks in
      let dataset = try readDataset(Source(path), task: .classification, over: ranks)
      let statistics = try Statistics(of: dataset, over: ranks)
      #expect(try statistics.samples == lines(path) && statistics.columns.count == 28)
      #expect(statistics.classes.map(\.name) == ["0", "1"])
      let share = Double(statistics.classes[1].count) / Double(statistics.samples)
      #expect((0.51...0.55).contains(share))
      #expect(statistics.columns.allSatisfy { !$0.isConstant })
    }
  }

  /// How many lines a text file has, gzipped or not, by other programs than ours.
  private func lines(_ path: String) throws -> Int {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "gzip -cdf \"$0\" | wc -l", path]
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
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
