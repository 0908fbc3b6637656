import Basics
import Datasets
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct LabelTests {
  /// The classes of a text, the same from a plain file and from a gzipped one, or the refusal without the path.
  private func classes(
    _ text: [UInt8], _ options: CSVFormat = CSVFormat(), selection: LabelSelection = .all,
    missing: Source.MissingValues = .refuse
  ) throws -> (names: [String], codes: [Int32], refusal: String) {
    var outcome: (names: [String], codes: [Int32], refusal: String) = ([], [], "")
    try TemporaryFiles.with { files, ranks in
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
      ] {
        do {
          let dataset = try readDataset(
            Source(path, options), task: .classification, selection: selection, missing: missing, over: ranks)
          if case .classes(let codes, let names) = dataset.labels {
            outcome = (names, try ranks.gather(codes).flatMap { $0 }, outcome.refusal)
          }
        } catch let failure as Failure {
          #expect(failure.isShared)
          outcome.refusal = failure.message.replacing(path, with: "FILE")
        }
      }
    }
    return outcome
  }

  private func classes(_ text: String) throws -> (names: [String], codes: [Int32], refusal: String) {
    try classes(Array(text.utf8))
  }

  // MARK: Whole numbers

  /// Double precision can't tell these apart, each pair.
  @Test(arguments: [
    ["9007199254740992", "9007199254740993"], ["-9007199254740993", "-9007199254740992"],
    ["18446744073709551615", "18446744073709551616"], ["12345678901234567890123", "12345678901234567890124"],
    ["0", "100000000000000000000", "100000000000000000001"],
  ])
  func wholeNumbersAreComparedAsSuch(_ labels: [String]) throws {
    let text = (0..<120).map { "\(labels[$0 * labels.count / 120]),\($0)\n" }.joined()
    let found = try classes(text)
    #expect(found.names == labels)
    #expect(found.codes == (0..<120).map { Int32($0 * labels.count / 120) })
  }

  @Test func anyWayToWriteAWholeNumber() throws {
    let ways = [
      "9007199254740993", "+9007199254740993.00", "9007199254740.993e3", "900719925474099300e-2",
      "09007199254740993", "9.007199254740993E15",
    ]
    let found = try classes(ways.map { "\($0),1\n" }.joined() + "9007199254740992,1\n-0,1\n0.0,1\n1e20,1\n")
    #expect(found.names == ["0", "9007199254740992", "9007199254740993", "100000000000000000000"])
    #expect(found.codes == [2, 2, 2, 2, 2, 2, 1, 0, 0, 3])
    #expect(try classes("1e300,1\n1.5e300,1\n10e299,1\n").names == ["1e+300", "1.5e+300"])
  }

  @Test func aClassIsListedOnce() throws {
    let text = Array("1,2\n2,3\n".utf8)
    #expect(
      try classes(text, selection: .only(["1", "2", "1.0"])).refusal
        == "classes in [data]: the class \"1\" is listed twice, also as \"1.0\". List each class once.")
    #expect(
      try classes(text, selection: .only(["1", "1"])).refusal
        == "classes in [data]: the class \"1\" is listed twice. List each class once.")
  }

  // MARK: Bytes that are no text

  /// On whichever rank the line is, and whatever is on the lines before it.
  @Test(arguments: [2, 150, 12_000, 24_000])
  func bytesThatAreNoTextAreRefusedWithTheirLine(_ line: Int) throws {
    let refusals: [([UInt8], String)] = [
      ([0xC4, 0x6C], "is not UTF-8 text"), ([0x31, 0], "holds a zero byte"), ([0], "holds a zero byte"),
      ([0, 0x31], "holds a zero byte"),
      ([0x22, 0x31, 0, 0x22], "holds a zero byte"), ([0xED, 0xA0, 0x80], "is not UTF-8 text"),
      ([0xF0, 0x9F], "is not UTF-8 text"),
    ]
    for (bytes, reason) in refusals {
      for isLabel in [true, false] {
        var text = Array((1..<line).map { "\($0 % 2),\(Double($0) * 0.5)\n" }.joined().utf8)
        text += isLabel ? bytes + Array(",3.5\n".utf8) : Array("1,".utf8) + bytes + [0x0A]
        text += Array((0..<500).map { "\($0 % 2),1.5\n" }.joined().utf8)
        let refusal = try classes(text).refusal
        // A zero byte near the beginning is seen before any line.
        if text.prefix(1 << 16).contains(0) {
          #expect(refusal.contains("is not a text file"))
        } else {
          let place = "FILE, line \(line), column \(isLabel ? 1 : 2): the field "
          #expect(refusal.hasPrefix(place + reason), "\(refusal)")
        }
      }
    }
  }

  @Test func aHeaderThatIsNoText() throws {
    let refusal = try classes(Array("y,".utf8) + [0xC4] + Array(",b\n1,2,3\n".utf8)).refusal
    #expect(refusal.hasPrefix("FILE, line 1: column 2: the field is not UTF-8 text. Convert"), "\(refusal)")
  }

  // MARK: What is no class

  @Test(arguments: ["inf", "-Inf", "+infinity", "Infinity", "1e999", "-1e400"])
  func infinityIsNoClass(_ label: String) throws {
    #expect(
      try classes("1,2\n\(label),3\n").refusal
        == "FILE, line 2, column 1: the label \"\(label)\" is not a finite number. Correct the file.")
    let counted = try classes(Array("1,2\n\(label),3\n".utf8), missing: .keepNaN)
    #expect(counted.names == ["(missing)", "1"])
  }

  @Test(arguments: ["inf", "-Inf", "+infinity", "Infinity", "-INFINITY", "1e999"])
  func infinityIsCountedAsMissing(_ value: String) throws {
    try TemporaryFiles.with { files, ranks in
      let path = try files.write("a.csv", "1,2\n0,\(value)\n1,3\n", over: ranks)
      let dataset = try readDataset(Source(path), task: .classification, missing: .keepNaN, over: ranks)
      let statistics = try Statistics(of: dataset, over: ranks)
      #expect(statistics.columns[0].missing == 1)
    }
  }

  @Test func aClassCalledMissingIsAClass() throws {
    let found = try classes(Array("missing,2\n,3\nx,4\n".utf8), missing: .keepNaN)
    #expect(found.names == ["(missing)", "missing", "x"])
  }

  @Test func aLabelWithoutEnd() throws {
    let long = String(repeating: "a", count: 1001)
    #expect(
      try classes("x,1\n\(long),2\n").refusal
        == "FILE, line 2, column 1: a label of 1001 bytes is too long: the longest has 1000.")
  }

  // MARK: A hint

  @Test func manyNumbersMayBeMeasurements() {
    func hint(_ names: [String], samples: Int) -> String? {
      Labels.classes(codes: [], names: names).targetHint(samples: samples)
    }
    let gaps = (0..<187).map { "\($0 * 2 + 25)" }
    #expect(
      hint(gaps, samples: 4420)
        == "the labels are 187 different numbers, from 25 to 397: if they are measurements and not classes, set task = "
        + "\"regression\" in [data] (--task regression)")
    let classNumbers = (0..<100).map { "\($0)" }
    #expect(hint(classNumbers, samples: 50_000) == nil)
    #expect(hint(classNumbers, samples: 300) != nil)
    #expect(hint(["0", "7", "100"], samples: 5) == nil)
    #expect(hint((0..<40).map { "c\($0 * 3)" }, samples: 40) == nil)
  }
}
