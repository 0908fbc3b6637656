import Basics
import Datasets
import Files
import Foundation
import HDF5
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct HDF5Tests {
  private let values: [Float] = (0..<2500).map { (i: Int) -> Float in Float(i * 31 % 997) / 8 - 50 }

  private var rows: [[Float]] { (0..<500).map { (n: Int) -> [Float] in Array(values[5 * n..<5 * n + 5]) } }

  /// Rank 0 writes a file by itself.
  private func write(
    _ name: String, in files: TemporaryFiles, over ranks: borrowing Communicator,
    _ body: (borrowing HDF5File) throws -> Void
  ) throws -> String {
    let path = files.directory + "/" + name
    if ranks.isRoot {
      let file = try HDF5File(creating: path)
      try body(file)
      try file.close()
    }
    try ranks.barrier()
    return path
  }

  @Test func labelsOfEveryKind() throws {
    try TemporaryFiles.with { files, ranks in
      let path = try write("a.h5", in: files, over: ranks) { file in
        try file.write(values, to: "features", shape: [500, 5])
        try file.write((0..<500).map { Int32($0 % 3 - 1) }, to: "labels")
        try file.write((0..<500).map { Float($0 % 3) / 10 }, to: "fractions", shape: [500, 1])
        try file.write((0..<500).map { ["pear", "apple", "fig"][$0 % 3] }, to: "names")
      }
      let names = (1...5).map { "x\($0)" }
      func labels(_ codes: [Int32], _ names: [String]) -> Labels {
        .classes(codes: (0..<500).map { codes[$0 % 3] }, names: names)
      }
      let cases: [(String, Labels)] = [
        ("labels", labels([0, 1, 2], ["-1", "0", "1"])),
        ("fractions", labels([0, 1, 2], ["0", "0.1", "0.2"])),
        ("names", labels([2, 0, 1], ["apple", "fig", "pear"])),
      ]
      for (name, wanted) in cases {
        let dataset = try readDataset(
          Source(path, HDF5Format(labelsDataset: name)), task: .classification, over: ranks)
        Expected(features: rows, labels: wanted, names: names).check(dataset, on: ranks)
      }
      let targets = try readDataset(
        Source(path, HDF5Format(labelsDataset: "fractions")), task: .regression, over: ranks)
      Expected(features: rows, labels: .targets((0..<500).map { Float($0 % 3) / 10 }), names: names)
        .check(targets, on: ranks)
      let bare = try readDataset(
        Source(path, CSVFormat(labelColumn: .none)), task: .regression, over: ranks)
      Expected(features: rows, labels: .none, names: names).check(bare, on: ranks)
      let some = try readDataset(
        Source(path, HDF5Format(labelsDataset: "names")), task: .classification,
        selection: .only(["fig", "apple"]),
        over: ranks)
      let kept = (0..<500).filter { $0 % 3 > 0 }
      Expected(
        features: kept.map { rows[$0] },
        labels: .classes(codes: kept.map { $0 % 3 == 2 ? 0 : 1 }, names: ["fig", "apple"]), names: names
      ).check(some, on: ranks)
      let shape = try preview(Source(path), over: ranks)
      #expect(shape.samples == 500 && shape.features == 5 && shape.hasLabels && !shape.isEstimate)
    }
  }

  private func labels(
    _ name: String, of path: String, _ task: LearningTask = .classification, over ranks: borrowing Communicator
  ) throws -> Labels {
    let dataset = try readDataset(Source(path, HDF5Format(labelsDataset: name)), task: task, over: ranks)
    return dataset.labels
  }

  /// Labels that single or double precision can't tell from their neighbours are told apart, or refused.
  @Test func labelsOfManyDigits() throws {
    let edge = 1 << 53
    try TemporaryFiles.with { files, ranks in
      let path = try write("a.h5", in: files, over: ranks) { file in
        try file.write(values, to: "features", shape: [500, 5])
        try file.write((0..<500).map { edge + $0 % 3 }, to: "beyond")
        try file.write((0..<500).map { -edge - $0 % 3 }, to: "below")
        try file.write((0..<500).map { UInt64.max - UInt64($0 % 3) }, to: "unsigned")
        try file.write((0..<500).map { Double(edge) + 2 * Double($0 % 3) }, to: "doubles")
        try file.write((0..<500).map { 0.1 + Double($0 % 3) / 1e12 }, to: "close")
        try file.write((0..<500).map { Float($0 % 3) + 0.5 }, to: "halves")
        try file.write((0..<500).map { $0 == 7 ? Double.nan : 1 }, to: "missing")
      }
      let wholes: [(String, [String])] = [
        ("beyond", ["9007199254740992", "9007199254740993", "9007199254740994"]),
        ("below", ["-9007199254740992", "-9007199254740993", "-9007199254740994"]),
        ("unsigned", ["18446744073709551615", "18446744073709551614", "18446744073709551613"]),
        ("close", ["0.1", "0.100000000001", "0.100000000002"]), ("halves", ["0.5", "1.5", "2.5"]),
      ]
      for (name, wanted) in wholes {
        guard case .classes(_, let names) = try labels(name, of: path, over: ranks) else { continue }
        #expect(Set(names) == Set(wanted) && names.count == 3, "\(name): \(names)")
      }
      // A double is beyond 2^53 already as it is stored.
      let failure = try #require(throws: Failure.self) {
        _ = try labels("doubles", of: path, over: ranks)
      }
      #expect(
        failure.message
          == "\(path), sample 2: the label 9007199254740994 is a number beyond 2^53, which can't be told from its "
          + "neighbours. Store the labels as text, or number the classes from 0.")
      let missing = try #require(throws: Failure.self) {
        _ = try labels("missing", of: path, over: ranks)
      }
      #expect(missing.status == .badData && missing.message.contains("sample 8"))
      // As a target a number has single precision.
      guard case .targets(let targets) = try labels("halves", of: path, .regression, over: ranks) else {
        Issue.record("halves are no targets")
        return
      }
      #expect(targets.allSatisfy { [0.5, 1.5, 2.5].contains($0) })
    }
  }

  /// Reads, writes, reads again and compares.
  private func checkRoundTrip(
    _ source: Source, _ task: LearningTask, classes: [String]? = nil, through path: String,
    over ranks: borrowing Communicator, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let first = try readDataset(source, task: task, classes: classes, over: ranks)
    try writeHDF5(first, to: PendingFile(path), over: ranks)
    let labelColumn = !source.options.hasLabels ? CSVFormat.LabelColumn.none : .number(1)
    let second = try readDataset(
      Source(path, CSVFormat(labelColumn: labelColumn)), task: task, over: ranks)
    let (entries, otherEntries) = (Array(first.features.elements), Array(second.features.elements))
    #expect(entries == otherEntries, sourceLocation: location)
    let (labels, otherLabels) = (first.labels, second.labels)
    #expect(labels == otherLabels, sourceLocation: location)
    let (names, otherNames) = (first.featureNames, second.featureNames)
    #expect(names == otherNames, sourceLocation: location)
  }

  @Test func writtenAndReadBack() throws {
    let kinds = ["dog", "cat", "7"]
    let text =
      "kind,a,b\n"
      + (0..<257).map { (n: Int) -> String in "\(kinds[n * n % 3]),\(n),\(Float(n) / 3)\n" }.joined()
    let numbers = (0..<257).map { (n: Int) -> String in "\(Float(n) / 7),\(n)\n" }.joined()
    try TemporaryFiles.with { files, ranks in
      let h5 = files.directory + "/a.h5"
      let named = Source(
        try files.write("a.csv", text, over: ranks), CSVFormat(labelColumn: .name("kind")))
      try checkRoundTrip(named, .classification, through: h5, over: ranks)
      try checkRoundTrip(named, .classification, classes: ["dog", "7", "cat"], through: h5, over: ranks)
      var plain = Source(try files.write("n.csv", numbers, over: ranks))
      try checkRoundTrip(plain, .regression, through: h5, over: ranks)
      plain.options[CSVFormat.self].labelColumn = .none
      try checkRoundTrip(plain, .regression, through: h5, over: ranks)
      let left = try FileManager.default.contentsOfDirectory(atPath: files.directory)
      #expect(left.sorted() == ["a.csv", "a.h5", "n.csv"])
    }
  }

  @Test func aFullDiskLeavesTheOldFile() throws {
    try TemporaryFiles.with { files, ranks in
      let text = (0..<20_000).map { "\($0 % 2),\($0)\n" }.joined()
      let source = Source(try files.write("a.csv", text, over: ranks))
      let dataset = try readDataset(source, task: .classification, over: ranks)
      let path = try files.write("a.h5", "mine", over: ranks)
      let failure = try #require(throws: Failure.self) {
        try withFullDisk(after: 50_000) { try writeHDF5(dataset, to: PendingFile(path), over: ranks) }
      }
      #expect(failure.status == .inputOutput && failure.isShared)
      // Rank 0 removes the temporary file.
      try ranks.barrier()
      #expect(try contents(of: path) == "mine")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: files.directory).sorted() == ["a.csv", "a.h5"])
      let nowhere = files.directory + "/none/a.h5"
      let refusal = try #require(throws: Failure.self) {
        try writeHDF5(dataset, to: PendingFile(nowhere), over: ranks)
      }
      #expect(refusal.status == .inputOutput && refusal.isShared && refusal.message.hasPrefix(nowhere))
    }
  }

  @Test func damagedFiles() throws {
    try TemporaryFiles.with { files, ranks in
      var damaged = values
      damaged[5 * 333 + 2] = .nan
      damaged[5 * 480] = .infinity
      let path = try write("a.h5", in: files, over: ranks) { file in
        try file.write(values, to: "features", shape: [500, 5])
        try file.write(damaged, to: "damaged", shape: [500, 5])
        try file.write(values, to: "flat")
        try file.write((0..<500).map { Int32($0 == 321 ? 5 : $0 % 2) }, to: "labels")
        try file.write((0..<499).map { Int32($0 % 2) }, to: "short")
        try file.write((0..<500).map { "\($0 % 2)" }, to: "text")
      }
      expectFailure(
        "\(path), sample 334, column 3 (x3): nan is not a finite number. Correct the file, or remove the sample.",
        reading: Source(path, HDF5Format(featuresDataset: "damaged")), over: ranks)
      expectFailure(
        "\(path): there is no dataset 'x'; the file has 'damaged', 'features', 'flat', 'labels', 'short', 'text'.",
        reading: Source(path, HDF5Format(featuresDataset: "x")), over: ranks)
      expectFailure(
        "\(path): dataset 'flat' has the shape [2500]. Features need two dimensions: samples, features.",
        reading: Source(path, HDF5Format(featuresDataset: "flat")), over: ranks)
      expectFailure(
        "\(path): dataset 'short' has the shape [499], and there are 500 samples. One label a sample is needed.",
        reading: Source(path, HDF5Format(labelsDataset: "short")), over: ranks)
      expectFailure(
        "\(path), sample 322: the label \"5\" is none of the classes 0, 1. Correct the file, or the classes."
      ) { _ = try readDataset(Source(path), task: .classification, classes: ["0", "1"], over: ranks) }
      expectFailure(
        "\(path): dataset 'text' holds text, and a regression needs numbers. Set task = \"classification\", or another "
          + "dataset."
      ) {
        _ = try readDataset(
          Source(path, HDF5Format(labelsDataset: "text")), task: .regression, over: ranks)
      }
      let cut = files.directory + "/cut.h5"
      if ranks.isRoot {
        try Data(contentsOf: URL(fileURLWithPath: path)).dropLast(3000).write(to: URL(fileURLWithPath: cut))
      }
      try ranks.barrier()
      #expect {
        _ = try readDataset(Source(cut), task: .classification, over: ranks)
      } throws: {
        guard let failure = $0 as? Failure else { return false }
        return failure.status == .badData && failure.isShared && failure.message.contains(cut)
      }
    }
  }
}
