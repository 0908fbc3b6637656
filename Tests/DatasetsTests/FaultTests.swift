import Basics
import Datasets
import Files
import Foundation
import MPI
import TestSupport
import Testing

/// Reads and expects a failure, the same on every rank.
func expectFailure(
  _ message: String, _ status: Basics.ExitStatus = .badData, _ location: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  #expect(sourceLocation: location) {
    try body()
  } throws: { error in
    guard let failure = error as? Failure else { return false }
    if failure.message != message || failure.status != status || !failure.isShared {
      Issue.record("\(failure.status): \(failure.message)", sourceLocation: location)
    }
    return true
  }
}

/// A mistake in line `line` of 300 otherwise good lines under a header, and the message about it.
struct Mistake: Sendable, CustomTestStringConvertible {
  var text: String
  var message: String
  var testDescription: String { text }

  static let all = [
    Mistake(
      text: "1,2,0.3x1,4",
      message: "column 3 (jet_pt): \"0.3x1\" is not a number. Correct the file, or remove the line."),
    Mistake(text: "1,,3,4", message: "column 2 (a): the field is empty. Fill it in, or remove the line."),
    Mistake(text: "1,2,3,", message: "column 4 (b): the field is empty. Fill it in, or remove the line."),
    Mistake(
      text: "1,2,NaN,4",
      message: "column 3 (jet_pt): \"NaN\" is not a finite number. Replace it, or remove the line."),
    Mistake(
      text: "1,2,-inf,4",
      message: "column 3 (jet_pt): \"-inf\" is not a finite number. Replace it, or remove the line."),
    Mistake(
      text: "1,2,1e39,4",
      message:
        "column 3 (jet_pt): \"1e39\" is too large for single precision. Rescale the column, or remove the line."
    ),
    Mistake(text: ",2,3,4", message: "column 1 (y): the label is missing. Fill it in, or remove the sample."),
    Mistake(
      text: "1,\"2,3,4",
      message:
        "column 2 (a): a quoted field is not closed on its line. Close the quote; line breaks inside quotes are "
        + "not supported."),
    Mistake(
      text: "1,\"2\"x,3,4",
      message: "column 2 (a): text follows a closing quote. Double the quotes inside a quoted field."),
    Mistake(
      text: "1,2 3,4,5",
      message: "column 2 (a): \"2 3\" is not a number. Correct the file, or remove the line."),
  ]
}

/// Reads the data set that `source` names, as classification.
func expectFailure(
  _ message: String, _ status: Basics.ExitStatus = .badData, reading source: Source,
  over ranks: borrowing Communicator, _ location: SourceLocation = #_sourceLocation
) {
  expectFailure(message, status, location) {
    _ = try readDataset(source, task: .classification, over: ranks)
  }
}

@Suite(.serialized) struct FaultTests {
  private static let lines = ["y,a,jet_pt,b"] + (2...300).map { "\($0 % 2),\($0),2,3" }

  /// The text as a plain file and as a gzip file.
  private func read(
    _ lines: [String], fails message: (String) -> String, _ location: SourceLocation = #_sourceLocation,
    _ source: (inout Source) -> Void = { _ in }, classes: [String]? = nil
  ) throws {
    try TemporaryFiles.with { files, ranks in
      let text = lines.joined(separator: "\n") + "\n"
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
      ] {
        var from = Source(path)
        source(&from)
        expectFailure(message(path), .badData, location) {
          _ = try readDataset(from, task: .classification, classes: classes, over: ranks)
        }
      }
    }
  }

  @Test(arguments: Mistake.all) func mistakesAreNamed(_ mistake: Mistake) throws {
    for line in [2, 123, 251, 300] {
      var lines = Self.lines
      lines[line - 1] = mistake.text
      try read(lines, fails: { "\($0), line \(line), \(mistake.message)" })
    }
  }

  @Test func wrongNumberOfColumns() throws {
    for (text, count) in [
      ("1,2,3", "3 columns"), ("1,2,3,4,5", "5 columns"), ("1", "1 column"),
    ] {
      var lines = Self.lines
      lines[200] = text
      try read(
        lines,
        fails: {
          "\($0), line 201 has \(count) where the first line has 4. Correct the file, or remove the line."
        })
    }
  }

  @Test func delimitersAtTheEndsOfLines() throws {
    var lines = Self.lines
    lines[200] = "1,2,3,4,"
    try read(
      lines,
      fails: {
        "\($0), line 201 has 5 columns where the first line has 4: it ends in a delimiter. Correct the file, or "
          + "remove the line."
      })
    try read(
      Self.lines.map { $0 + "," },
      fails: {
        "\($0), line 2, column 5 (): the lines end in a delimiter, which makes an empty last column. Remove it from "
          + "their ends."
      })
  }

  @Test func theEarliestMistakeWins() throws {
    for (first, second) in [(10, 280), (150, 151), (20, 21), (99, 299)] {
      var lines = Self.lines
      lines[first - 1] = "1,first,2,3"
      lines[second - 1] = "1,second,2,3"
      try read(
        lines,
        fails: {
          "\($0), line \(first), column 2 (a): \"first\" is not a number. Correct the file, or remove the line."
        })
    }
  }

  /// In a file of several blocks, of which a rank has more than one.
  @Test func theEarliestMistakeOfALargeFile() throws {
    try TemporaryFiles.with { files, ranks in
      var lines = (0..<400_000).map { "\($0 % 2),\($0),0.5" }
      lines[250_000] = "1,b,0.5"
      lines[349_999] = "1,c,0.5"
      lines[120_000] = "1,a,0.5"
      let text = lines.joined(separator: "\n")
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
        try files.write("cut.csv.gz", gzip(text).dropLast(1000).map { $0 }, over: ranks),
      ] {
        expectFailure(
          "\(path), line 120001, column 2: \"a\" is not a number. Correct the file, or remove the line."
        ) { _ = try readDataset(Source(path), task: .classification, over: ranks) }
      }
    }
  }

  @Test func blankLinesAndHeadersCount() throws {
    try read(
      ["", "1,2", "", "0,x"],
      fails: { "\($0), line 4, column 2: \"x\" is not a number. Correct the file, or remove the line." })
    try read(
      ["1,2,x", "1,2,3"],
      fails: {
        "\($0): line 1 (1, 2, x) may name the columns or be the first sample. Say which: header = true or false in "
          + "[data], or --header or --no-header."
      })
    try read(
      ["1,2,x", "1,2,3"],
      fails: {
        "\($0), line 1, column 3: \"x\" is not a number. Correct the file, or set header = true if the line names the "
          + "columns."
      }
    ) { $0.options[CSVFormat.self].header = false }
  }

  @Test func labelsOutsideTheClasses() throws {
    var lines = Self.lines
    lines[222] = "2,1,1,1"
    try read(
      lines,
      fails: {
        "\($0), line 223, column 1 (y): the label \"2\" is none of the classes 0, 1. Correct the file, or the classes."
      }, classes: ["0", "1"])
  }

  @Test func regressionTargetsAreNoClasses() throws {
    try read(
      (0..<2000).map { "\($0),1" },
      fails: {
        "\($0) has more than 1000 different labels in column 1, which looks like a regression target. "
          + "Set task = \"regression\", or choose another label column (label_column in [data], "
          + "--label-column)."
      })
    try read(
      (0..<2000).map { "\(Double($0 % 30) / 10),1" },
      fails: {
        "\($0) has 30 different labels in column 1, which looks like a regression target. "
          + "Set task = \"regression\", or choose another label column (label_column in [data], "
          + "--label-column)."
      })
  }

  @Test func columnsThatAreNotThere() throws {
    try TemporaryFiles.with { files, ranks in
      let path = try files.write("a.csv", Self.lines.joined(separator: "\n"), over: ranks)
      expectFailure(
        "\(path) has no column \"z\" for the label; line 1 has: y, a, jet_pt, b.",
        .badConfiguration, reading: Source(path, CSVFormat(labelColumn: .name("z"))),
        over: ranks)
      expectFailure(
        "\(path) has 4 columns, and the label is to be in column 5. Set another label column, or check the delimiter.",
        .badConfiguration, reading: Source(path, CSVFormat(labelColumn: .number(5))),
        over: ranks)
      expectFailure(
        "The label column \"y\" of \(path) is a name, and header = false says that there are none. Give its number.",
        .badConfiguration,
        reading: Source(path, CSVFormat(header: false, labelColumn: .name("y"))), over: ranks)
      expectFailure(
        "\"5\" can't be the delimiter of \(path). Set another character.", .badConfiguration,
        reading: Source(path, CSVFormat(delimiter: "5")), over: ranks)
    }
  }

  @Test func filesThatAreNotThere() throws {
    try TemporaryFiles.with { files, ranks in
      let none = files.directory + "/none.csv"
      expectFailure(
        "\(none): there is no such file. Check the path.", .noInput, reading: Source(none), over: ranks)
      expectFailure(
        "\(files.directory) is not a file but a directory. Name a file in it.", .noInput,
        reading: Source(files.directory), over: ranks)
      let empty = try files.write("empty.csv", "", over: ranks)
      expectFailure(
        "\(empty) is empty. Name a file with samples.", .badData, reading: Source(empty), over: ranks)
      let blank = try files.write("blank.csv", "\n  \n\n", over: ranks)
      expectFailure(
        "\(blank) holds no samples: it has no lines.", .badData, reading: Source(blank), over: ranks)
      let header = try files.write("header.csv", "y,a\n", over: ranks)
      expectFailure("\(header) holds no samples.", .badData, reading: Source(header), over: ranks)
      let column = try files.write("column.csv", "1\n2\n", over: ranks)
      expectFailure(
        "\(column) has one column only, the label, and no features. Check the delimiter and the label column.",
        .badData, reading: Source(column), over: ranks)
      let binary = try files.write("binary.csv", [49, 0, 50, 10], over: ranks)
      expectFailure(
        "\(binary) is not a text file: it has a zero byte near its beginning. Set the format.", .badData,
        reading: Source(binary), over: ranks)
      let wide = try files.write("wide.csv", [0xFF, 0xFE, 49, 0], over: ranks)
      expectFailure(
        "\(wide) is in UTF-16. Convert it to UTF-8, for instance with iconv.", .badData,
        reading: Source(wide), over: ranks)
      let fake = try files.write("fake.h5", "1,2\n", over: ranks)
      expectFailure(
        "\(fake) is not an HDF5 file. Copy or download it again, or set the format that it has.",
        .badData, reading: Source(fake), over: ranks)
    }
  }

  @Test func damagedGzipFiles() throws {
    try TemporaryFiles.with { files, ranks in
      let whole = gzip(Self.lines.joined(separator: "\n"))
      for count in [30, whole.count / 2, whole.count - 9, whole.count - 1] {
        let cut = try files.write("cut\(count).csv.gz", Array(whole[..<count]), over: ranks)
        expectFailure(
          "\(cut) ends in the middle of the compressed stream (after \(count) bytes). Copy or download it again.",
          reading: Source(cut), over: ranks)
      }
      var bytes = whole
      bytes[whole.count - 6] ^= 1
      let wrong = try files.write("wrong.csv.gz", bytes, over: ranks)
      expectFailure(
        "\(wrong) is damaged: incorrect data check (near byte \(whole.count - 4)). Copy or download it again.",
        reading: Source(wrong), over: ranks)
      let junk = try files.write("junk.csv.gz", whole + Array("junk".utf8), over: ranks)
      expectFailure(
        "\(junk): its gzip data ends near byte \(whole.count), and what follows is none. Copy or download it again, or "
          + "drop the rest: gzip -dc '\(junk)' > NEW.",
        reading: Source(junk), over: ranks)
      let plain = try files.write("plain.csv.gz", "1,2\n", over: ranks)
      expectFailure(
        "\(plain) is not a gzip file, in spite of its name. Copy or download it again, or rename it.",
        reading: Source(plain), over: ranks)
    }
  }
}
