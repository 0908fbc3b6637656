import Datasets
import Foundation
import MPI
import Sums
import TestSupport
import Testing

/// What a data set should be, whole, on every rank.
struct Expected {
  var features: [[Float]]
  var labels: Labels
  var names: [String]

  /// Compares this rank's part of `dataset` with its part of the whole.
  func check(
    _ dataset: borrowing Dataset, on ranks: borrowing Communicator,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let range = dataset.range
    let partition = Partition(samples: features.count, ranks: ranks.size)
    let samples = dataset.partition.samples
    #expect(samples == features.count, sourceLocation: location)
    #expect(range == partition.range(of: ranks.rank), sourceLocation: location)
    let featureNames = dataset.featureNames
    #expect(featureNames == names, sourceLocation: location)
    guard samples == features.count, featureNames == names else { return }
    let rows = dataset.features.rows
    let all = Array(dataset.features.elements)
    let columns = (0..<range.count).map { Array(all[$0 * rows..<($0 + 1) * rows]) }
    #expect(columns == features[range].map { $0 + [1] }, sourceLocation: location)
    let found = dataset.labels
    let wanted: Labels =
      switch labels {
      case .classes(let codes, let names): .classes(codes: Array(codes[range]), names: names)
      case .targets(let targets): .targets(Array(targets[range]))
      case .none: .none
      }
    #expect(found == wanted, sourceLocation: location)
  }
}

/// N samples of d features with labels by a rule, as a text in one of many styles.
struct Example {
  var samples = 1000
  var features = 3
  var delimiter = ","
  var lineEnd = "\n"
  var header: [String]? = nil
  /// The label's place among the columns, from 0.
  var label: Int? = 0
  var labels: [String] = ["0", "1"]
  var prefix = ""
  var suffix = ""
  var quote = false

  func value(_ n: Int, _ j: Int) -> Float { Float((n * 7919 + j * 104729) % 20011) / 64 - 100 }
  func code(_ n: Int) -> Int { (n * n + n / 3) % labels.count }

  var text: String {
    var lines: [String] = header.map { [$0.joined(separator: delimiter)] } ?? []
    for n in 0..<samples {
      var fields = (0..<features).map { "\(value(n, $0))" }
      if let label { fields.insert(labels[code(n)], at: label) }
      if quote { fields = fields.map { "\"\($0)\"" } }
      lines.append(fields.joined(separator: delimiter))
    }
    return prefix + lines.joined(separator: lineEnd) + (samples > 0 || header != nil ? lineEnd : "") + suffix
  }

  func expected(names: [String] = ["0", "1"]) -> Expected {
    var columns =
      header.map { $0.map { $0.replacing("\"", with: "") } } ?? (0..<features).map { "x\($0 + 1)" }
    if header != nil, let label { columns.remove(at: label) }
    return Expected(
      features: (0..<samples).map { n in (0..<features).map { value(n, $0) } },
      labels: label == nil ? .none : .classes(codes: (0..<samples).map { Int32(code($0)) }, names: names),
      names: columns)
  }
}

@Suite(.serialized) struct CSVTests {
  private func check(
    _ example: Example, names: [String] = ["0", "1"], classes: [String]? = nil,
    _ source: (inout Source) -> Void = { _ in }, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try TemporaryFiles.with { files, ranks in
      let text = example.text
      // Three members, cut anywhere, one of them empty.
      let bytes = Array(text.utf8)
      let members =
        gzip(Array(bytes[..<(bytes.count / 3)])) + gzip([]) + gzip(Array(bytes[(bytes.count / 3)...]))
      let paths = [
        try files.write("plain.csv", text, over: ranks),
        try files.write("one.csv.gz", gzip(text), over: ranks),
        try files.write("members.csv.gz", members + [0, 0, 0], over: ranks),
      ]
      for path in paths {
        var from = Source(path)
        source(&from)
        let dataset = try readDataset(from, task: .classification, classes: classes, over: ranks)
        example.expected(names: names).check(dataset, on: ranks, location)
      }
    }
  }

  @Test func plain() throws { try check(Example()) }

  @Test(arguments: [1, 2, 3, 5, 64, 65, 127, 2000]) func anyNumberOfSamples(_ samples: Int) throws {
    try check(Example(samples: samples, labels: ["1"]), names: ["1"])
  }

  @Test(arguments: [",", ";", "\t", " ", "   "]) func delimiters(_ delimiter: String) throws {
    try check(Example(samples: 50, delimiter: delimiter))
    try check(Example(samples: 50, delimiter: delimiter, header: ["y", "a", "b", "c"], suffix: "\n\n"))
  }

  @Test func aGivenDelimiter() throws {
    try check(Example(samples: 50, delimiter: "|")) { $0.options[CSVFormat.self].delimiter = "|" }
  }

  @Test func lineEndsBlankLinesAndByteOrderMark() throws {
    try check(Example(samples: 70, lineEnd: "\r\n", suffix: "\r\n"))
    try check(Example(samples: 70, lineEnd: "\n\n", prefix: "\n \n"))
    try check(Example(samples: 70, header: ["y", "a", "b", "c"], prefix: "\u{FEFF}"))
    try check(Example(samples: 70, prefix: "\u{FEFF}\r\n"))
  }

  @Test func labelColumnByNameAndNumber() throws {
    var example = Example(samples: 90, header: ["a", "b", "y", "c"], label: 2)
    try check(example) { $0.options[CSVFormat.self].labelColumn = .name("y") }
    try check(example) { $0.options[CSVFormat.self].labelColumn = .number(3) }
    example.header = nil
    try check(example) { $0.options[CSVFormat.self].labelColumn = .number(3) }
    example.label = nil
    try check(example) { $0.options[CSVFormat.self].labelColumn = .none }
    example.label = 3
    for column: CSVFormat.LabelColumn in [.number(4), .number(-1), .last] {
      try check(example) { $0.options[CSVFormat.self].labelColumn = column }
    }
    example.label = 0
    try check(example) { $0.options[CSVFormat.self].labelColumn = .number(-4) }
  }

  @Test func labels() throws {
    try check(Example(labels: ["-1", "+1"]), names: ["-1", "1"])
    try check(
      Example(labels: ["1.000000000000000000e+00", "0.000000000000000000e+00"]), names: ["1", "0"],
      classes: ["1", "0"])
    try check(Example(labels: ["2", "9", "10", "11.0"]), names: ["2", "9", "10", "11"])
    try check(Example(labels: ["Adelie", "Gentoo", "größer"]), names: ["Adelie", "Gentoo", "größer"])
    try check(Example(labels: ["dog", "cat"]), names: ["dog", "cat"], classes: ["dog", "cat"])
    try check(Example(labels: ["0.5", "1.5"]), names: ["0.5", "1.5"])
  }

  @Test func quotes() throws {
    try check(
      Example(
        labels: ["\"a, \"\"b\"\"\"", "z"]), names: ["a, \"b\"", "z"])
    try check(Example(samples: 80, header: ["y", "\"a,1\"", "b", "c"], quote: true))
  }

  @Test func labelsInTheOrderOfTheNumbersOnEveryRank() throws {
    // Each label in one place only, so that no rank meets them all.
    try TemporaryFiles.with { files, ranks in
      let text = (0..<400).map { "\(($0 / 100 * 7 + 9) % 40),\($0)\n" }.joined()
      let path = try files.write("a.csv", text, over: ranks)
      let dataset = try readDataset(Source(path), task: .classification, over: ranks)
      // 9, 16, 23, 30.
      Expected(
        features: (0..<400).map { [Float($0)] },
        labels: .classes(codes: (0..<400).map { Int32($0 / 100) }, names: ["9", "16", "23", "30"]),
        names: ["x1"]
      ).check(dataset, on: ranks)
    }
  }

  @Test func selections() throws {
    try TemporaryFiles.with { files, ranks in
      let text = (0..<600).map { "\($0 / 37 % 5),\($0)\n" }.joined()
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
      ] {
        let one = try readDataset(
          Source(path), task: .classification, selection: .positive("3.0"), over: ranks)
        Expected(
          features: (0..<600).map { [Float($0)] },
          labels: .classes(codes: (0..<600).map { $0 / 37 % 5 == 3 ? 1 : 0 }, names: ["not 3", "3"]),
          names: ["x1"]
        ).check(one, on: ranks)
        let two = try readDataset(
          Source(path), task: .classification, selection: .only(["4", "0"]), over: ranks)
        let kept = (0..<600).filter { [0, 4].contains($0 / 37 % 5) }
        Expected(
          features: kept.map { [Float($0)] },
          labels: .classes(codes: kept.map { $0 / 37 % 5 == 4 ? 0 : 1 }, names: ["4", "0"]), names: ["x1"]
        ).check(two, on: ranks)
        #expect {
          _ = try readDataset(Source(path), task: .classification, selection: .only(["0", "8"]), over: ranks)
        } throws: {
          "\($0)" == "No sample of \(path) has the label \"8\" in column 1; the labels are 0, 1, 2, 3, 4."
        }
        // Asked to expect these classes, it takes none for an answer, but not an empty data set.
        #expect {
          _ = try readDataset(
            Source(path), task: .classification, classes: ["7", "8"], selection: .only(["7", "8"]),
            over: ranks)
        } throws: {
          "\($0)" == "\(path) holds no samples of these classes."
        }
      }
    }
  }

  @Test func regression() throws {
    try TemporaryFiles.with { files, ranks in
      let text = (0..<300).map { "\($0),\(Double($0) / 8),2\n" }.joined()
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
      ] {
        let dataset = try readDataset(
          Source(path, CSVFormat(labelColumn: .number(2))), task: .regression, over: ranks)
        Expected(
          features: (0..<300).map { [Float($0), 2] }, labels: .targets((0..<300).map { Float($0) / 8 }),
          names: ["x1", "x2"]
        ).check(dataset, on: ranks)
      }
    }
  }

  @Test func previewTellsTheShape() throws {
    try TemporaryFiles.with { files, ranks in
      let example = Example(samples: 5000, header: ["y", "a", "b", "c"])
      let plain = try preview(
        Source(try files.write("a.csv", example.text, over: ranks)), over: ranks)
      #expect(plain.featureNames == ["a", "b", "c"] && plain.hasLabels && plain.isEstimate)
      #expect((4500...5500).contains(plain.samples ?? 0))
      let packed = try preview(
        Source(try files.write("a.csv.gz", gzip(example.text), over: ranks)), over: ranks)
      #expect(packed.features == 3 && packed.samples == nil && packed.format == "csv")
    }
  }
}
