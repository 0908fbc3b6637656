import Datasets
import Foundation
import LinearAlgebra
import MPI
import Sums
import TestSupport
import Testing

@Suite(.serialized) struct DatasetTests {
  @Test(arguments: [10, 999]) func split(_ samples: Int) throws {
    try TemporaryFiles.with { files, ranks in
      let example = Example(samples: samples)
      let path = try files.write("a.csv", example.text, over: ranks)
      let dataset = try readDataset(Source(path), task: .classification, classes: ["0", "1"], over: ranks)
      let parts = try dataset.split(fraction: 0.3, seed: 7, over: ranks)
      // Each sample's own draw, from the same generator: the definition.
      let random = Philox(seed: 7, stream: 0x7370_6C69)
      let isValidation = (0..<samples).map { random.uniform(0, $0) < 0.3 }
      let whole = example.expected()
      func part(_ isKept: Bool) -> Expected {
        let kept = (0..<samples).filter { isValidation[$0] == isKept }
        return Expected(
          features: kept.map { whole.features[$0] },
          labels: .classes(codes: kept.map { Int32(example.code($0)) }, names: ["0", "1"]), names: whole.names
        )
      }
      let training = parts.training
      let validation = parts.validation
      part(false).check(training, on: ranks)
      part(true).check(validation, on: ranks)
      #expect(samples < 999 || (250...350).contains(isValidation.count { $0 }))
      expectFailure(
        "A validation fraction of 0.0 of \(samples) samples puts 0 of them into validation. Both parts need "
          + "samples: choose another fraction.", .badConfiguration
      ) { _ = try dataset.split(fraction: 0, seed: 7, over: ranks) }
    }
  }

  @Test func standardization() throws {
    try TemporaryFiles.with { files, ranks in
      let samples = 3000
      // A column far from 0, a constant one, one with a wild first value.
      let rows = (0..<samples).map { n -> [Float] in
        let a = Float(n * 7919 % 1009) / 16
        let b = 1e6 + Float(n % 5) / 4
        return [a, b, 3.1, n == 0 ? -999 : Float(n % 3)]
      }
      let text = rows.map { "0," + $0.map { "\($0)" }.joined(separator: ",") + "\n" }.joined()
      let path = try files.write("a.csv", text, over: ranks)
      var dataset = try readDataset(Source(path), task: .classification, over: ranks)
      let standardization = try Standardization(of: dataset, over: ranks)
      for j in 0..<4 {
        let column = rows.map { Double($0[j]) }
        let mean = column.reduce(0, +) / Double(samples)
        let variance = column.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(samples)
        #expect(abs(Double(standardization.mean[j]) - mean) <= 1e-7 * max(abs(mean), 1e-3))
        #expect(j == 2 || abs(Double(standardization.scale[j]) / variance.squareRoot() - 1) < 1e-6)
      }
      #expect(standardization.scale[2] == 1 && standardization.mean[2] == 3.1)

      // The bits don't depend on the number of ranks: a rank alone computes the same from all samples.
      let whole = Matrix<Float>(rows: 5, rows.flatMap { $0 + [1] })
      let alone = Dataset(
        partition: Partition(samples: samples, ranks: 1), range: 0..<samples, features: whole, labels: .none,
        featureNames: ["a", "b", "c", "d"])
      let reference = try self.bits(of: alone)
      #expect(standardization.mean.map(\.bitPattern) == reference.means)
      #expect(standardization.scale.map(\.bitPattern) == reference.scales)

      standardization.apply(to: &dataset)
      let first = dataset.range.lowerBound
      for i in 0..<dataset.range.count {
        for j in 0..<4 {
          let value = (rows[first + i][j] - standardization.mean[j]) / standardization.scale[j]
          let found = dataset.features[j, i]
          if found != value { Issue.record("entry (\(j), \(i)) is \(found), not \(value)") }
        }
        let bias = dataset.features[4, i]
        if bias != 1 { Issue.record("the bias input of sample \(i) is \(bias)") }
      }
    }
  }

  /// Means and scales by the definition: sums of differences from the smallest value over chunks, then exactly over
  /// the chunks.
  private func bits(of dataset: borrowing Dataset) throws -> (means: [UInt32], scales: [UInt32]) {
    var means: [UInt32] = []
    var scales: [UInt32] = []
    let n = dataset.range.count
    for j in 0..<dataset.featureCount {
      let column = (0..<n).map { dataset.features[j, $0] }
      let pivot = Double(column.min() ?? 0)
      var sums = ExactSum(count: 2)
      for chunk in stride(from: 0, to: n, by: dataset.partition.chunk) {
        let part = column[chunk..<min(chunk + dataset.partition.chunk, n)].map { Double($0) - pivot }
        sums.add(part.reduce(0, +), to: 0)
        sums.add(part.map { $0 * $0 }.reduce(0, +), to: 1)
      }
      let shift = sums[0] / Double(n)
      let deviation = (sums[1] / Double(n) - shift * shift).squareRoot()
      means.append(Float(pivot + shift).bitPattern)
      scales.append((deviation > 0 ? Float(deviation) : 1).bitPattern)
    }
    return (means, scales)
  }

  @Test func differencesTooLargeForSinglePrecisionAreRefused() throws {
    try TemporaryFiles.with { files, ranks in
      let path = try files.write("a.csv", "0,1,1e30\n1,2,3e38\n0,3,-3e38\n", over: ranks)
      let dataset = try readDataset(Source(path), task: .classification, over: ranks)
      expectFailure(
        "Feature 2 (x2) can't be standardised: it ranges from -3e+38 to 3e+38, more than single precision holds. "
          + "Rescale it in the file."
      ) { _ = try Standardization(of: dataset, over: ranks) }
    }
  }

  @Test func statisticsCountWhatIsMissing() throws {
    try TemporaryFiles.with { files, ranks in
      let lines = (0..<400).map { n -> String in
        let a = n % 9 == 0 ? "" : "\(n % 10)"
        let kind = n % 4 == 0 ? "x" : n == 7 ? "" : "y"
        let c = n % 50 == 3 ? "nan" : "-1"
        return "\(a),2.5,\(kind),\(c),NA\n"
      }
      let text = "a,b,kind,c,d\n" + lines.joined()
      let path = try files.write("a.csv", text, over: ranks)
      let dataset = try readDataset(
        Source(path, CSVFormat(labelColumn: .name("kind"))), task: .classification,
        missing: .keepNaN, over: ranks)
      let statistics = try Statistics(of: dataset, over: ranks)
      #expect(statistics.samples == 400)
      #expect(statistics.columns.map(\.name) == ["a", "b", "c", "d"])
      #expect(statistics.columns.map(\.missing) == [45, 0, 8, 400])
      #expect(statistics.columns.map(\.isConstant) == [false, true, true, true])
      #expect(statistics.classes.map(\.name) == ["(missing)", "x", "y"])
      #expect(statistics.classes.map(\.count) == [1, 100, 299])
      let a = (0..<400).filter { $0 % 9 != 0 }.map { Double($0 % 10) }
      let mean = a.reduce(0, +) / Double(a.count)
      let variance = a.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(a.count)
      #expect(statistics.columns[0].smallest == 0 && statistics.columns[0].largest == 9)
      #expect(abs(statistics.columns[0].mean - mean) < 1e-12)
      #expect(abs(statistics.columns[0].standardDeviation - variance.squareRoot()) < 1e-12)
      #expect(statistics.columns[1].mean == 2.5 && statistics.columns[1].standardDeviation == 0)
      #expect(statistics.columns[3].mean.isNaN && statistics.columns[3].smallest.isNaN)
    }
  }

  @Test func statisticsOfTargets() throws {
    try TemporaryFiles.with { files, ranks in
      let path = try files.write("a.csv", (1...101).map { "\($0),1\n" }.joined(), over: ranks)
      let dataset = try readDataset(Source(path), task: .regression, over: ranks)
      let target = try Statistics(of: dataset, over: ranks).target
      #expect(target?.smallest == 1 && target?.largest == 101 && target?.mean == 51 && target?.missing == 0)
      #expect(abs((target?.standardDeviation ?? 0) - 850.0.squareRoot()) < 1e-12)
    }
  }
}
