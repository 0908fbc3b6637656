import Basics
import Datasets
import Foundation
import HDF5
import MPI
import TestSupport
import Testing

/// Columns at the ends of single precision's range, and columns that it can't hold.
@Suite(.serialized) struct PrecisionTests {
  private func read(
    _ text: String, task: LearningTask = .classification, _ options: CSVFormat = CSVFormat(),
    _ body: (inout Dataset, String, borrowing Communicator) throws -> Void
  ) throws {
    try TemporaryFiles.with { files, ranks in
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
      ] {
        var dataset = try readDataset(Source(path, options), task: task, over: ranks)
        try body(&dataset, path, ranks)
      }
    }
  }

  /// Numbers of any size have a mean and a deviation, and are standardised by them.
  @Test(arguments: [1e-44, 1e-40, 1e-30, 1e-27, 1e-23, 1, 1e10, 1e27, 1e34, 3e36])
  func momentsOfAnySize(_ size: Double) throws {
    let column = (0..<300).map { Float((Double($0 * 7919 % 101) - 30) * size) }
    let text = column.enumerated().map { "\($0 % 2),\($1)\n" }.joined()
    let values = column.map(Double.init)
    let mean = values.reduce(0, +) / 300
    let deviation = (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 300).squareRoot()
    try read(text) { dataset, _, ranks in
      let statistics = try Statistics(of: dataset, over: ranks)
      #expect(abs(statistics.columns[0].mean - mean) <= 1e-12 * deviation)
      #expect(abs(statistics.columns[0].standardDeviation / deviation - 1) < 1e-9)
      #expect(!statistics.columns[0].isConstant)
      var warnings: [String] = []
      let standardization = try Standardization(of: dataset, over: ranks) { warnings.append($0) }
      #expect(warnings.isEmpty)
      standardization.apply(to: &dataset)
      let first = dataset.range.lowerBound
      for i in 0..<dataset.range.count {
        let expected = (values[first + i] - mean) / deviation
        let found = Double(dataset.features[0, i])
        // Below 2^-126 single precision has few digits.
        if abs(found - expected) > (size < 1e-39 ? 0.05 : 1e-5) { Issue.record("\(found) for \(expected)") }
      }
    }
  }

  @Test(arguments: [1e-30, 1e-27, 1, 1e27, 1e33]) func targetsOfAnySize(_ size: Double) throws {
    let column = (0..<300).map { Float((Double($0 * 7919 % 101) + 1e4) * size) }
    let text = column.map { "\($0),1\n" }.joined()
    let values = column.map(Double.init)
    let mean = values.reduce(0, +) / 300
    let deviation = (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 300).squareRoot()
    try read(text, task: .regression) { dataset, _, ranks in
      let scale = try dataset.targetScale(over: ranks)
      #expect(scale.mean == Float(mean))
      #expect(abs(Double(scale.deviation) / deviation - 1) < 1e-6)
    }
  }

  /// The values are exact, but neither their mean nor their deviation is.
  @Test func aColumnOfNeighboursIsWarnedOf() throws {
    let text = (0..<40).map { "\($0 % 2),\($0 % 2 == 0 ? 100_000_000 : 100_000_008),\($0)\n" }.joined()
    try read(text) { dataset, path, ranks in
      let merged = dataset.mergedWarning(path)
      #expect(merged == nil)
      var warnings: [String] = []
      _ = try Standardization(of: dataset, over: ranks) { warnings.append($0) }
      #expect(
        warnings == [
          "Feature 1 (x1) ranges from 1e+08 to 1.0000001e+08, where single precision goes by steps of 8.0: too coarse "
            + "to standardise it well. Subtract a constant from it, or rescale it, in the file."
        ])
    }
  }

  // MARK: Values that merge

  private func warning(_ column: [String], task: LearningTask = .classification) throws -> String? {
    let text = "y,time,x\n" + column.enumerated().map { "\($0 % 2),\($1),\(Double($0) / 7)\n" }.joined()
    var found: Set<String?> = []
    try read(text, task: task) { dataset, path, _ in
      found.insert(dataset.mergedWarning(path)?.replacing(path, with: "FILE"))
    }
    #expect(found.count == 1, "from a plain file and from a gzipped one: \(found)")
    return found.first ?? nil
  }

  @Test func aColumnOfTimesIsWarnedOf() throws {
    #expect(
      try warning((0..<600).map { "\(1_700_000_000 + $0)" })
        == "FILE: single precision can't tell apart the values of column 2 (time) (600 different values become 6). "
        + "Subtract a constant or rescale in the file.")
    // In any order, beside a value far from them, in decimals, too small, and beyond what double precision tells apart.
    #expect(try warning((0..<600).map { "\(1_700_000_000 + $0 * 229 % 601)" }) != nil)
    #expect(try warning((0..<600).map { $0 == 3 ? "-999" : "\(1_700_000_000 + $0)" }) != nil)
    #expect(try warning((0..<200).map { "1.00000000\($0 + 100)" }) != nil)
    #expect(try warning((0..<200).map { "\($0 + 1)e-48" }) != nil)
    #expect(try warning(["9007199254740992", "9007199254740993", "9007199254740994", "1"]) != nil)
    #expect(try warning(["1700000000", "1700000001"]) != nil)
  }

  @Test func columnsThatSinglePrecisionHoldsAreNot() throws {
    #expect(try warning((0..<900).map { "\($0 * 7919 % 65_521)" }) == nil)
    #expect(try warning((0..<900).map { "\(Double($0 * 7919 % 65_521) / 65_521)" }) == nil)
    #expect(try warning((0..<900).map { "\(1_700_000_000 + $0 * 3600)" }) == nil)
    // One number in several ways.
    #expect(try warning((0..<900).map { ["1", "1.0", "01", "1e0", "0.1e1", "100e-2", "+1"][$0 % 7] }) == nil)
    #expect(try warning(["0", "-0", "0.0", "0e5"]) == nil)
  }

  /// A file of many blocks, of which few lines are looked at: the same ones by any number of ranks.
  @Test func aLargeFile() throws {
    let text = (0..<200_000).map { "\($0 % 2),\(1_700_000_000 + $0 * 7919 % 2_003),\($0)\n" }.joined()
    var warnings: [String] = []
    try read(text) { dataset, path, ranks in
      let warning = dataset.mergedWarning(path) ?? ""
      let all = try ranks.gather(warning)
      #expect(all.allSatisfy { $0 == warning })
      #expect(warning.contains("of column 2 ("))
      warnings.append(warning)
    }
    #expect(warnings.count == 2)
  }

  private func warning(
    _ path: String, _ features: String, _ labels: String, over ranks: borrowing Communicator
  ) throws -> String? {
    let format = HDF5Format(featuresDataset: features, labelsDataset: labels)
    let dataset = try readDataset(Source(path, format), task: .classification, over: ranks)
    return dataset.mergedWarning("FILE")
  }

  @Test func numbersOfAnHDF5FileMergeToo() throws {
    try TemporaryFiles.with { files, ranks in
      let path = files.directory + "/a.h5"
      if ranks.isRoot {
        let file = try HDF5File(creating: path)
        let times = (0..<900).map { 1_700_000_000 + Double($0) }
        try file.write(times.flatMap { [$0, $0 / 1e6, 3] }, to: "features", shape: [900, 3])
        try file.write((0..<900).flatMap { [$0 + 1 << 40, $0] }, to: "whole", shape: [900, 2])
        try file.write((0..<900).map { Float($0) * 1e-30 }, to: "single", shape: [300, 3])
        try file.write((0..<900).map { Int32($0 % 2) }, to: "labels")
        try file.write((0..<300).map { Int32($0 % 2) }, to: "some")
        try file.write((0..<900).map { Double(1 << 53) + Double($0 % 2) }, to: "large")
        try file.close()
      }
      try ranks.barrier()
      let times = try warning(path, "features", "labels", over: ranks) ?? ""
      #expect(times.contains("of column 1 (x1) (") && times.contains("column 2 (x2)"), "\(times)")
      #expect(!times.contains("x3"))
      let whole = try warning(path, "whole", "labels", over: ranks) ?? ""
      #expect(whole.contains("of column 1 (x1) (") && !whole.contains("x2"), "\(whole)")
      let single = try warning(path, "single", "some", over: ranks)
      #expect(single == nil)
      expectFailure(
        "\(path), sample 1: the label 9007199254740992 is a number beyond 2^53, which can't be told from its "
          + "neighbours. Store the labels as text, or number the classes from 0."
      ) { _ = try warning(path, "features", "large", over: ranks) }
    }
  }

  private func warning(
    ofIDX bytes: [UInt8], _ name: String, in files: TemporaryFiles, over ranks: borrowing Communicator
  ) throws -> String? {
    let source = Source(try files.write(name, bytes, over: ranks), CSVFormat(labelColumn: .none))
    let dataset = try readDataset(source, task: .regression, over: ranks)
    return dataset.mergedWarning("FILE")
  }

  /// Numbers of 32 bits and doubles, whoever reads them, plain and compressed; bytes never.
  @Test func numbersOfAnIDXFileMergeToo() throws {
    func bigEndian(_ x: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).reversed().map { UInt8(truncatingIfNeeded: x >> (8 * UInt64($0))) }
    }
    func idx(_ type: UInt8, _ samples: Int, _ values: [UInt8]) -> [UInt8] {
      [0, 0, type, 2] + bigEndian(UInt64(samples), 4) + bigEndian(3, 4) + values
    }
    // Times, times in steps that single precision holds, and small numbers.
    let rows = (0..<900).map { [1_700_000_000 + $0, 1_700_000_000 + 3600 * $0 % 100_000_000, $0] }
    let whole = idx(0x0C, 900, rows.flatMap { $0.flatMap { bigEndian(UInt64($0), 4) } })
    let doubles = idx(0x0E, 900, rows.flatMap { $0.flatMap { bigEndian((Double($0) / 1e6).bitPattern, 8) } })
    let bytes = idx(0x08, 900, rows.flatMap { $0.map { UInt8(truncatingIfNeeded: $0) } })
    try TemporaryFiles.with { files, ranks in
      let said =
        "FILE: single precision can't tell apart the values of column 1 (900 different values become 8). "
        + "Subtract a constant or rescale in the file."
      for (name, bytes) in [("whole.idx", whole), ("whole.idx.gz", gzip(whole))] {
        let found = try warning(ofIDX: bytes, name, in: files, over: ranks)
        #expect(found == said)
      }
      let found = try warning(ofIDX: doubles, "doubles.idx", in: files, over: ranks)
      #expect(found?.contains("of column 1 (900 different values become ") == true, "\(found ?? "nothing")")
      let none = try warning(ofIDX: bytes, "bytes.idx", in: files, over: ranks)
      #expect(none == nil)
    }
  }

  @Test func targetsMergeToo() throws {
    let text = (0..<100).map { "\(1_700_000_000 + $0),\($0)\n" }.joined()
    try read(text, task: .regression) { dataset, path, _ in
      let merged = dataset.mergedWarning(path)
      #expect(merged?.contains("of column 1 (100 different values become") ?? false)
    }
    // Labels are compared as texts.
    try read((0..<100).map { "\(1_700_000_000 + $0 % 2),\($0)\n" }.joined()) { dataset, path, _ in
      let merged = dataset.mergedWarning(path)
      #expect(merged == nil)
    }
  }
}
