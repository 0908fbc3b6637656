import Basics
import Glibc
import HDF5
import MPI

/// Which samples a classification task takes, and as what.
public enum LabelSelection: Sendable, Equatable {
  /// All samples, each class for itself.
  case all
  /// A binary problem: this class (code 1) against all others together (code 0, named "not …").
  case positive(String)
  /// The samples of these classes, coded in this order; the others are left out.
  case only([String])
  /// All samples; labels are skipped, whatever they are.
  case ignored
}

/// The labels that one rank has met, and their codes.
///
/// A label that is a number is named by its shortest form: `1.000e+00` is "1". So 0/1, −1/+1, class numbers and
/// names are all names.
struct LabelTable {
  /// More distinct labels than this are no classes.
  static let limit = 1_000
  /// More distinct labels than this are no classes if some are fractions.
  static let fractionLimit = 20
  /// The code of a sample that the selection leaves out.
  static let leftOut: Int32 = -1

  /// What a label can't be.
  struct Refusal: Error {
    let message: String
  }

  private let selection: LabelSelection
  private let classes: [String]?
  private let missing: Source.MissingValues
  private var codes: [String: Int32] = [:]
  private var codesOfNumbers: [Double: Int32] = [:]
  /// The distinct labels of the samples taken, in the order of their codes.
  private var names: [String] = []
  /// All distinct labels met, up to the limit and one more.
  private var met: Set<String> = []

  /// - Parameter classes: the only labels allowed, in the order of their codes; `nil` takes what comes. With a
  ///   selection it only says that its classes need not occur.
  init(selection: LabelSelection, classes: [String]?, missing: Source.MissingValues) {
    switch selection {
    case .all: self.selection = .all
    case .positive(let name): self.selection = .positive(Self.canonical(name))
    case .only(let list): self.selection = .only(list.map(Self.canonical))
    case .ignored: self.selection = .ignored
    }
    self.classes = classes?.map(Self.canonical)
    self.missing = missing
  }

  /// A number in its shortest form, any other text as it is.
  static func canonical(_ text: String) -> String {
    decimalValue(text).map(name) ?? text
  }

  /// The shortest text for a number; whole numbers have no point. A number of single precision gets its own
  /// shortest text.
  static func name(_ number: Double) -> String {
    if let whole = Int(exactly: number) { return String(whole) }
    return Float(exactly: number).map { "\($0)" } ?? "\(number)"
  }

  /// This rank's code for a label, or `leftOut`.
  mutating func code(_ text: String) throws(Refusal) -> Int32 {
    if let code = codes[text] { return code }
    let number = decimalValue(text)
    let isMissing = isMissingValue(text) || !(number ?? 0).isFinite
    let code = try add(isMissing ? nil : Self.canonical(text))
    codes[text] = code
    return code
  }

  /// This rank's code for a label that is a number, or `leftOut`.
  mutating func code(_ number: Double) throws(Refusal) -> Int32 {
    if let code = codesOfNumbers[number] { return code }
    let code = try add(number.isFinite ? Self.name(number) : nil)
    if number.isFinite { codesOfNumbers[number] = code }
    return code
  }

  private mutating func add(_ known: String?) throws(Refusal) -> Int32 {
    guard let name = known ?? (missing == .keepNaN ? "missing" : nil) else {
      throw Refusal(message: "the label is missing. Fill it in, or remove the sample.")
    }
    if met.count <= Self.limit { met.insert(name) }
    switch selection {
    case .positive(let positive): return name == positive ? 1 : 0
    case .only(let list): return list.firstIndex(of: name).map(Int32.init) ?? Self.leftOut
    case .all, .ignored: break
    }
    if let classes {
      if let index = classes.firstIndex(of: name) { return Int32(index) }
      throw Refusal(
        message:
          "the label \"\(name)\" is none of the classes \(Self.list(classes)). Correct the file, or the classes."
      )
    }
    if let index = names.firstIndex(of: name) { return Int32(index) }
    guard names.count <= Self.limit else { return 0 }
    names.append(name)
    return Int32(names.count - 1)
  }

  /// The names of all classes, the same on every rank, and the final code for each code of this rank. Collective.
  ///
  /// - Throws: a shared `Failure` if the labels look like numbers to be predicted, or a class of the selection does
  ///   not occur.
  func resolve(path: String, over ranks: borrowing Communicator) throws -> (names: [String], codes: [Int32]) {
    if selection == .ignored { return ([""], [0]) }
    let all = Set(
      try ranks.gather(met.joined(separator: "\0")).flatMap { $0.split(separator: "\0").map(String.init) })
    let numbers = all.compactMap(decimalValue)
    let isFractional = numbers.contains { $0 != $0.rounded() }
    guard all.count <= (isFractional ? Self.fractionLimit : Self.limit) else {
      throw Failure(
        .badData,
        "\(path) has \(all.count > Self.limit ? "more than \(Self.limit)" : "\(all.count)") different labels, "
          + "which looks like a regression target. Set task = \"regression\", or another label column.",
        isShared: true)
    }
    let sorted =
      numbers.count == all.count
      ? all.sorted { (decimalValue($0) ?? 0) < (decimalValue($1) ?? 0) } : all.sorted()
    switch selection {
    case .positive(let positive):
      try require([positive], among: sorted, path)
      return (["not \(positive)", positive], [0, 1])
    case .only(let list):
      try require(list, among: sorted, path)
      return (list, list.indices.map(Int32.init))
    case .all, .ignored: break
    }
    if let classes { return (classes, classes.indices.map(Int32.init)) }
    let place = Dictionary(uniqueKeysWithValues: zip(sorted, Int32(0)...))
    return (sorted, names.map { place[$0] ?? 0 })
  }

  private func require(_ wanted: [String], among found: [String], _ path: String) throws {
    guard classes == nil, let absent = wanted.first(where: { !found.contains($0) }) else { return }
    throw Failure(
      .badData, "No sample of \(path) has the label \"\(absent)\"; the labels are \(Self.list(found)).",
      isShared: true)
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(20).joined(separator: ", ")
    return names.count > 20 ? shown + ", … (\(names.count))" : shown
  }
}

/// Whether a text stands for a value that is not there.
func isMissingValue(_ text: String) -> Bool {
  switch text.lowercased() {
  case "", "nan", "+nan", "-nan", "na", "n/a", "null", "?": true
  default: false
  }
}
