import Basics
import Datasets
import MPI
import TestSupport
import Testing

/// Tables whose delimiter or header the first lines must tell, and what must not be guessed.
@Suite(.serialized) struct TableGuessTests {
  /// Reads a text as a file, plain and gzipped. The message of its refusal comes without the path.
  private func outcome(
    _ text: String, _ options: CSVFormat = CSVFormat(), task: LearningTask = .classification
  ) throws -> (names: [String], classes: [String], samples: Int, refusal: String) {
    var outcome: (names: [String], classes: [String], samples: Int, refusal: String) = ([], [], 0, "")
    try TemporaryFiles.with { files, ranks in
      for path in [
        try files.write("a.csv", text, over: ranks), try files.write("a.csv.gz", gzip(text), over: ranks),
      ] {
        do {
          let dataset = try readDataset(Source(path, options), task: task, over: ranks)
          if case .classes(_, let names) = dataset.labels { outcome.classes = names }
          (outcome.names, outcome.samples) = (dataset.featureNames, dataset.partition.samples)
        } catch let failure as Failure {
          #expect(failure.isShared)
          outcome.refusal = failure.message.replacing(path, with: "FILE")
        }
      }
    }
    return outcome
  }

  private static let headerDoubt =
    "may name the columns or be the first sample. Say which: header = true or false in [data], or --header or "
    + "--no-header."

  /// Names over numbers beside names that are numbers.
  @Test(arguments: [
    "target,0,1\n1,0.5,2\n0,1.5,3\n", "0,1,target\n0.5,2,1\n1.5,3,0\n", "y,2019,2020\n1,5,6\n0,7,8\n",
    "a,1,b\n1,2,3\n", "0,1,2,3\n1,0.5,2,3\n0,1.5,3,4\n", "2018,2019,2020\n1.5,2,3\n2.5,3,4\n",
    "species,1,2\nsetosa,5.1,3.5\nsetosa,4.9,3\n", "kind,0,1\na,5,3\nb,4,3\na,2,8\nb,1,1\na,7,7\n",
    "target;0;1\n1;0.5;2\n0;1.5;3", "target\t0\t1\n1\t0.5\t2\n", "1,2,3,x\n1,2,3,4\n",
  ])
  func aHeaderInDoubtIsRefused(_ text: String) throws {
    let found = try outcome(text, CSVFormat(labelColumn: .number(1)))
    #expect(found.refusal.hasPrefix("FILE: line 1 (") && found.refusal.hasSuffix(Self.headerDoubt))
    let named = try outcome(text, CSVFormat(header: true))
    let plain = try outcome(text, CSVFormat(header: false))
    #expect(named.refusal.isEmpty && (plain.refusal.isEmpty ? plain.samples == named.samples + 1 : true))
  }

  @Test(arguments: [
    ("y,a,b\n1,2,3\n", ["a", "b"]), ("y,a,b\n1,,3\n0,1,2\n", ["a", "b"]),
    ("\"y\",\"0\",\"1\"\n1,2,3\n0,3,4\n", ["0", "1"]), ("kind,a,b\nx,2,3\ny,3,4\n", ["a", "b"]),
    (",a,b\n1,2,3\n0,3,4\n", ["a", "b"]), ("y a b\n1 2 3\n", ["a", "b"]),
  ])
  func headersThatAreOne(_ text: String, _ names: [String]) throws {
    // An empty field is refused in the second table, after its header has been found.
    let found = try outcome(text)
    #expect(found.names == names || found.refusal.contains("(a): the field is empty"), "\(found)")
  }

  @Test(arguments: [
    "0,1,2\n1,2,3\n", "x,5.1,2\ny,5,2\nx,4,1\n", "1,2\n0,3\n", "a,1,2\nb,3,4\na,5,6\n", "1,2,3\n", "a,2,5\n",
    "1990,1995,2000\n1,2,3.5\n", "nan,1,2\nx,2,3\n",
  ])
  func linesThatAreSamples(_ text: String) throws {
    let found = try outcome(text)
    if text.hasPrefix("nan") {
      #expect(found.refusal.contains("line 1, column 1: the label is missing"))
    } else {
      #expect(found.names == ["x1", "x2"] || found.names == ["x1"])
    }
  }

  @Test(arguments: [
    ("1;0,5\n0;1,5\n", "semicolon", "0,5"), ("1\t0,5\n0\t1,5\n", "tab", "0,5"),
    ("1 0,5\n0 1,5\n", "blank", "0,5"),
    ("y;a\n1;0,5\n0;1,5\n", "semicolon", "0,5"), ("0,5;1;2\n1,5;0;3\n", "semicolon", "0,5"),
    ("1;2\n0;1,5\n", "semicolon", "1,5"), ("\"1\";\"0,5\"\n\"0\";\"1,5\"\n", "semicolon", "0,5"),
    ("\"0,5\",1\n\"1,5\",2\n", "comma", "0,5"), ("-1,5e3;1\n2;0\n", "semicolon", "-1,5e3"),
  ])
  func decimalCommasAreRefused(_ text: String, _ delimiter: String, _ number: String) throws {
    let refusal = try outcome(text).refusal
    #expect(
      refusal.hasPrefix(
        "FILE: cut at the \(delimiter), the fields have decimal commas, such as \(number). Only decimal points are "
          + "read: write points."), "\(refusal)")
    #expect(refusal.contains("delimiter = \",\""))
  }

  @Test func twoDelimitersThatDoAsWellAreRefused() throws {
    let message = "Say which: delimiter in [data], or --delimiter."
    #expect(
      try outcome("1;2 3\n4;5 6\n").refusal
        == "FILE: the lines can be cut at the semicolon into 2 fields, or at the blank into 2. \(message)")
    #expect(
      try outcome("1,2;3\n4,5;6\n").refusal.hasPrefix("FILE: cut at the semicolon, the fields have decimal"))
    // Told, it reads what it can.
    #expect(try outcome("x y;2\nz y;6\n", CSVFormat(delimiter: ";")).classes == ["x y", "z y"])
    #expect(try outcome("1;0,5\n0;1,5\n", CSVFormat(delimiter: ",")).classes == ["0;1", "1;0"])
  }

  @Test(arguments: [
    "y, a, b\n1, 2, 3\n0, 3, 4\n", "y ,a ,b\n1 ,2 ,3\n", "red wine,2,3\nwhite wine,3,4\n",
    "y\ta b\tc\n1\t2\t3\n",
    "1\t 2\t 3\n0\t 3\t 4\n", "Smith, J\t1\t2\nJones, K\t2\t3\n", "a;b,2,3\nc;d,4,5\n", "y;a b;c d\n1;2;3\n",
    "1  2  3\n0  3  4\n", " 1,2,3\n 0,3,4\n",
    "2020-01-01 10:00,2,3\n2020-01-02 11:00,4,5\n",
  ])
  func delimitersThatAreClear(_ text: String) throws {
    let found = try outcome(text)
    #expect(found.refusal.isEmpty && found.names.count == 2, "\(found)")
  }

  @Test func carriageReturnsAlone() throws {
    for text in ["a,b\r1,2\r0,3\r", "1,2\r0,3\r\n"] {
      #expect(
        try outcome(text).refusal
          == "FILE, line 1: the lines end in carriage returns alone, which can't be read. Convert them: "
          + "tr '\\r' '\\n' < OLD > NEW.")
    }
  }

  // MARK: The label's column

  @Test func aNameThatTwoColumnsHaveChoosesNone() throws {
    #expect(
      try outcome("y,a,y,b\n1,2,3,4\n", CSVFormat(labelColumn: .name("y"))).refusal
        == "FILE, line 1: 2 columns are named \"y\" (1, 3). Set label_column to the number of one of them, or rename "
        + "the others.")
    #expect(try outcome("y,a,y\n1,2,3\n", CSVFormat(labelColumn: .number(1))).names == ["a", "y"])
    #expect(
      try outcome("y,last,b\n1,2,3\n", CSVFormat(labelColumn: .last)).refusal
        == "FILE: the label column \"last\" is the last one, and column 2 is named so too. Set label_column to -1 or "
        + "to 2.")
    #expect(try outcome("y,b,last\n1,2,3\n", CSVFormat(labelColumn: .last)).classes == ["3"])
    #expect(
      try outcome("1,2\n", CSVFormat(labelColumn: .number(-3))).refusal.hasPrefix(
        "FILE has 2 columns, and the label is to be in column -3."))
  }

  /// The default takes the first column, and here it is the last.
  @Test func aColumnOfTextsMayBeTheLabel() throws {
    let text = "length,width,species\n5.1,3,setosa\n4.9,2,virginica\n"
    #expect(
      try outcome(text).refusal
        == "FILE, line 2, column 3 (species): \"setosa\" is not a number, and this column holds texts. The label is "
        + "taken from column 1 (length): choose another label column (label_column in [data], --label-column), or "
        + "remove this one.")
    #expect(try outcome(text, CSVFormat(labelColumn: .last)).classes == ["setosa", "virginica"])
    #expect(
      try outcome("kind,a\nx,1\ny,2\n", task: .regression).refusal
        == "FILE, line 2, column 1 (kind): the label \"x\" is not a number, as a regression needs. Set task = "
        + "\"classification\", or choose another label column (label_column in [data], --label-column).")
  }

  // MARK: Sizes

  /// Blank lines are no samples, however wide the table is.
  @Test func blankLinesTakeNoMemory() throws {
    let text = String(repeating: "1,", count: 20_000) + "1\n" + String(repeating: "\n", count: 1 << 20)
    let found = try outcome(text, CSVFormat(header: false))
    #expect(found.samples == 1 && found.names.count == 20_000)
  }

  @Test func namesAndColumnsWithoutEnd() throws {
    let long = "y,\(String(repeating: "n", count: 5_000)),b\n1,2,3\n"
    #expect(
      try outcome(long).refusal
        == "FILE, line 1: the name of column 2 has 5000 bytes, and the longest that can be read has 1000. Shorten it, "
        + "or check the delimiter.")
    #expect(
      try outcome(String(repeating: "1,", count: 1 << 20) + "1\n").refusal
        == "FILE, line 1: 1048577 fields are too many: the most that can be read is 1048576. Is it a table?")
  }

  /// A header that fills the head still has a line below it to be held against.
  @Test func aWideHeader() throws {
    let wide = (1...30_000).map { "\($0)" }
    let text = "target," + wide.joined(separator: ",") + "\n1," + wide.joined(separator: ",") + "\n"
    #expect(try outcome(text).refusal.hasSuffix(Self.headerDoubt))
  }
}
