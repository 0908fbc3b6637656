import Basics
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

/// Where the labels of a data set stand, for messages.
public struct LabelSource: Sendable, Equatable {
  /// What the file calls them; `nil` where it doesn't.
  public let name: String?
  /// Such as "column 1 (y)".
  public let place: String
  /// How to choose others: completes "Set …, or".
  public let choice: String
}

/// The labels that one rank has met, and their codes, by `LabelNames`.
struct LabelTable {
  /// More distinct labels than this are no classes.
  static let limit = 1_000
  /// More distinct labels than this are no classes if some are fractions.
  static let fractionLimit = 20
  /// The code of a sample that the selection leaves out.
  static let leftOut: Int32 = -1
  /// What samples without a label are counted as, where they are.
  static let missingName = "(missing)"

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
  ///   - place: where `classes` stand, for messages.
  /// - Throws: a shared `Failure` where a class is listed twice.
  init(selection: LabelSelection, classes: [String]?, place: String, missing: Source.MissingValues) throws {
    switch selection {
    case .all: self.selection = .all
    case .positive(let name): self.selection = .positive(LabelNames.canonical(name))
    case .only(let list):
      self.selection = .only(try Self.distinct(list, .badConfiguration, "classes in [data]"))
    case .ignored: self.selection = .ignored
    }
    self.classes = try classes.map { try Self.distinct($0, .badData, place) }
    self.missing = missing
  }

  private static func distinct(
    _ list: [String], _ status: ExitStatus, _ place: String
  ) throws -> [String] {
    var first: [String: String] = [:]
    return try list.map { text in
      let name = LabelNames.canonical(text)
      if let other = first.updateValue(text, forKey: name) {
        throw Failure(
          status,
          "\(place): the class \(quoted(other)) is listed twice\(other == text ? "" : ", also as \(quoted(text))"). "
            + "List each class once.", isShared: true)
      }
      return name
    }
  }

  /// This rank's code for a label, or `leftOut`.
  mutating func code(_ text: String) throws(Refusal) -> Int32 {
    if let code = codes[text] { return code }
    guard text.utf8.count <= LabelNames.longest else {
      throw Refusal(
        message: "a label of \(text.utf8.count) bytes is too long: the longest has \(LabelNames.longest).")
    }
    guard !text.utf8.contains(0) else {
      throw Refusal(message: "the label holds a zero byte. Correct the file.")
    }
    guard !isInfinity(text), (decimalValue(text) ?? 0).isFinite else {
      return try add(nil, else: "the label \"\(shortened(text))\" is not a finite number. Correct the file.")
    }
    let code = try add(isMissingValue(text) ? nil : LabelNames.canonical(text))
    // Beyond the limit the labels are refused in the end, and are not kept until then.
    if met.count <= Self.limit { codes[text] = code }
    return code
  }

  /// This rank's code for a label that is a number, or `leftOut`.
  mutating func code(_ number: Double) throws(Refusal) -> Int32 {
    if let code = codesOfNumbers[number] { return code }
    guard number.isFinite else {
      return try add(
        nil, else: number.isNaN ? nil : "the label \(number) is not a finite number. Correct the file.")
    }
    guard abs(number) < 0x1p53 else {
      throw Refusal(
        message: "the label \(LabelNames.name(number)) is a number beyond 2^53, which can't be told from its "
          + "neighbours. Store the labels as text, or number the classes from 0.")
    }
    let code = try add(LabelNames.name(number))
    if met.count <= Self.limit { codesOfNumbers[number] = code }
    return code
  }

  /// - Parameters:
  ///   - known: the label's name; `nil` where there is none.
  ///   - reason: why there is none.
  private mutating func add(_ known: String?, else reason: String? = nil) throws(Refusal) -> Int32 {
    guard let name = known ?? (missing == .keepNaN ? Self.missingName : nil) else {
      throw Refusal(message: reason ?? "the label is missing. Fill it in, or remove the sample.")
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
        message: "the label \"\(shortened(name))\" is none of the classes \(LabelNames.list(classes)). "
          + "Correct the file, or the classes.")
    }
    guard met.count <= Self.limit else { return 0 }
    if let index = names.firstIndex(of: name) { return Int32(index) }
    names.append(name)
    return Int32(names.count - 1)
  }

  /// The names of all classes, the same on every rank, and the final code for each code of this rank. Collective.
  ///
  /// - Parameters:
  ///   - path: the file that the labels are of.
  ///   - source: where they stand in it.
  /// - Throws: a shared `Failure` if the labels look like numbers to be predicted, or a class of the selection does
  ///   not occur.
  func resolve(
    path: String, _ source: LabelSource?, over ranks: borrowing Communicator
  ) throws -> (names: [String], codes: [Int32]) {
    let place = source.map { " in \($0.place)" } ?? ""
    if selection == .ignored { return ([""], [0]) }
    let all = Set(
      try ranks.gather(met.joined(separator: "\0")).flatMap { $0.split(separator: "\0").map(String.init) })
    let isFractional = all.contains { name in decimalValue(name).map { $0 != $0.rounded() } ?? false }
    guard all.count <= (isFractional ? Self.fractionLimit : Self.limit) else {
      throw Failure(
        .badData,
        "\(path) has \(all.count > Self.limit ? "more than \(Self.limit)" : "\(all.count)") different labels"
          + "\(place), which looks like a regression target. Set task = \"regression\", or "
          + "\(source?.choice ?? "choose other labels").",
        isShared: true)
    }
    let sorted = LabelNames.sorted(all)
    switch selection {
    case .positive(let positive):
      try require([positive], among: sorted, path, place)
      return (["not \(positive)", positive], [0, 1])
    case .only(let list):
      try require(list, among: sorted, path, place)
      return (list, list.indices.map(Int32.init))
    case .all, .ignored: break
    }
    if let classes { return (classes, classes.indices.map(Int32.init)) }
    let codes = Dictionary(uniqueKeysWithValues: zip(sorted, Int32(0)...))
    return (sorted, names.map { codes[$0] ?? 0 })
  }

  private func require(
    _ wanted: [String], among found: [String], _ path: String, _ place: String
  ) throws {
    guard classes == nil, let absent = wanted.first(where: { !found.contains($0) }) else { return }
    throw Failure(
      .badData,
      "No sample of \(path) has the label \"\(shortened(absent))\"\(place); the labels are "
        + "\(LabelNames.list(found)).",
      isShared: true)
  }
}
