import ADMM
import Basics
import Files
import Glibc
import MPI
import Settings
import TOMLKit

extension Configuration {
  /// Reads a configuration file on rank 0 and gives every rank the same settings. Collective.
  ///
  /// - Parameters:
  ///   - file: path of a TOML file.
  ///   - settings: `section.key=value`, each of which replaces the file's value. Paths in them are relative to the current directory.
  /// - Throws: a shared `Failure` that names all mistakes at once, each with its place.
  public static func read(
    _ file: String, settings: [String] = [], over ranks: borrowing Communicator
  ) throws -> Configuration {
    let text = try ranks.agree { ranks.isRoot ? try contents(of: file) : "" }
    let here = try ranks.agree { ranks.isRoot ? try currentDirectory() : "" }
    return try Configuration(
      text: ranks.broadcast(text), file: file, currentDirectory: ranks.broadcast(here), settings: settings)
  }

  /// Takes over the settings of a TOML text. Local; deterministic.
  ///
  /// - Parameters:
  ///   - text: the file's text.
  ///   - file: its path, for messages, for the paths in it, which are relative to its directory, and for the default run directory.
  ///   - currentDirectory: what relative paths on the command line start from; absolute.
  ///   - settings: `section.key=value`.
  /// - Throws: a `Failure` of status `badConfiguration`, marked as shared: every rank must call this with the same arguments.
  public init(text: String, file: String, currentDirectory: String, settings: [String] = []) throws {
    var (entries, mistakes) = try fileEntries(
      text, file: file, pathsFrom: absolute(directory(of: file), in: currentDirectory))
    for setting in settings {
      do throws(Mistake) {
        let entry = try Entry(option: setting, pathsFrom: currentDirectory)
        entries.removeAll { $0.section == entry.section && $0.name == entry.name }
        entries.append(entry)
      } catch { mistakes.append(error.message) }
    }
    func entry(_ section: String, _ name: String) -> Entry? {
      entries.first { $0.section == section && $0.name == name }
    }

    var preset = Preset.robust
    if case .text(let name)? = entry("taylor", "preset")?.datum { preset = Preset(rawValue: name) ?? preset }
    self.init(preset: preset)
    output.directory = "runs/" + stem(of: file)
    for entry in entries {
      do throws(Mistake) { try apply(entry) } catch { mistakes.append(error.message) }
    }
    guard mistakes.isEmpty else { throw failure(mistakes) }

    mistakes = (dataConflicts + syntheticConflicts + conflicts).map { conflict in
      "\(entry(conflict.section, conflict.name)?.place ?? file): \(conflict.message)"
    }
    if data.train == nil && data.synthetic == nil { mistakes.append("\(file): \(Self.noTrainingSet)") }
    guard mistakes.isEmpty else { throw failure(mistakes) }
  }

  /// What is said where neither `train` nor `synthetic` is set.
  package static let noTrainingSet =
    "no training set. Set train in [data] to a file's path, or synthetic to a number of samples to generate."

  /// Replaces settings of [data] by what options of a subcommand say. Local; deterministic.
  ///
  /// - Parameter currentDirectory: what relative paths start from; absolute.
  /// - Throws: a `Failure` of status `usage`, marked as shared: every rank must call this with the same arguments.
  public mutating func apply(_ settings: [DataSetting], currentDirectory: String) throws {
    var mistakes: [String] = []
    for setting in settings {
      let entry = Entry(
        section: "data", name: setting.key, datum: SettingValue(option: setting.value), place: setting.option,
        base: currentDirectory)
      do throws(Mistake) { try apply(entry) } catch { mistakes.append(error.message) }
    }
    if mistakes.isEmpty {
      mistakes = dataConflicts.map { conflict in
        "\(settings.first { $0.key == conflict.name }?.option ?? conflict.name): \(conflict.message)"
      }
    }
    guard mistakes.isEmpty else { throw failure(mistakes, .usage) }
  }

  private mutating func apply(_ entry: Entry) throws(Mistake) {
    let key = try entry.key()
    guard key.read(entry.datum, &self) else {
      let hint = key.hint(entry.datum).map { " \($0)" } ?? ""
      throw Mistake(
        "\(entry.place): \(key.name) = \(entry.datum.toml) in [\(key.section)], expected \(key.expected).\(hint)"
      )
    }
    let paths: [String: WritableKeyPath<Configuration, String?>] = [
      "data.train": \.data.train, "data.test": \.data.test, "data.train_labels": \.data.trainLabels,
      "data.test_labels": \.data.testLabels,
    ]
    if let path = paths[key.path], let given = self[keyPath: path] {
      self[keyPath: path] = absolute(given, in: entry.base)
    }
  }

  /// Two settings that are right one by one and don't go together; the key to change.
  private typealias Conflict = (section: String, name: String, message: String)

  private var dataConflicts: [Conflict] {
    var found: [Conflict] = []
    if let classes = data.classes {
      if classes.count < 2 {
        found.append(("data", "classes", "classes in [data] names \(classes.count), expected two or more."))
      }
      if Set(classes).count < classes.count {
        found.append(("data", "classes", "classes in [data] names a class twice."))
      }
      if data.positiveClass != nil {
        found.append(
          (
            "data", "positive_class",
            "positive_class in [data] can't be set beside classes. Name two classes, the positive one last, or remove one key."
          ))
      }
    }
    if data.task == .regression {
      for (name, isSet) in [("classes", data.classes != nil), ("positive_class", data.positiveClass != nil)]
      where isSet {
        found.append(("data", name, "\(name) in [data] can't be set with task = \"regression\"."))
      }
    }
    return found
  }

  /// Samples come from files or are generated: a key of one kind is refused beside the other kind if it differs from its default.
  private var syntheticConflicts: [Conflict] {
    let ofBoth = ["validation_fraction", "standardize", "task"]
    let standard = Configuration(preset: taylor.preset)
    return Self.keys.filter {
      $0.section == "data" && $0.name != "synthetic" && !ofBoth.contains($0.name)
        && $0.name.hasPrefix("synthetic_") == (data.synthetic == nil)
        && $0.write(self) != $0.write(standard)
    }.map { key in
      let advice =
        data.synthetic == nil
        ? "needs synthetic, the number of training samples to generate."
        : "can't be set beside synthetic, which generates the samples. Remove one of the two."
      return ("data", key.name, "\(key.name) in [data] \(advice)")
    }
  }

  /// Keys of [taylor] that go with a multiplier on every constraint, or only without, are refused where they have no meaning.
  private var multiplierConflicts: [Conflict] {
    let withAll = ["penalty", "l2", "proximal", "momentum", "safeguard"]
    let ofBoth = ["preset", "multiplier"]
    let standard = Configuration(preset: taylor.preset)
    let hasAll = taylor.multiplier == .all
    return Self.keys.filter {
      $0.section == "taylor" && !ofBoth.contains($0.name) && withAll.contains($0.name) != hasAll
        && $0.write(self) != $0.write(standard)
    }.map { key in
      let advice = hasAll ? "has no meaning with" : "needs"
      return ("taylor", key.name, "\(key.name) in [taylor] \(advice) multiplier = \"all\".")
    }
  }

  private var conflicts: [Conflict] {
    var found = multiplierConflicts
    for (name, penalty, count, layer) in [
      ("beta", taylor.beta, weightLayers, "weight"), ("gamma", taylor.gamma, weightLayers - 1, "hidden"),
    ] {
      guard case .each(let values) = penalty, values.count != count else { continue }
      if name == "beta" && values.count == 2 { continue }
      found.append(
        (
          "taylor", name,
          "\(name) in [taylor] has \(values.count) values, but hidden = \(network.hidden) in [network] makes "
            + "\(count) \(layer) layer\(count == 1 ? "" : "s")."
        ))
    }
    if Set(baselines.methods).count < baselines.methods.count {
      found.append(("baselines", "methods", "methods in [baselines] names a method twice."))
    }
    if data.task == .regression {
      if !network.loss.isForRegression {
        found.append(
          (
            "network", "loss",
            "loss = \"\(network.loss)\" in [network] is for classes. With task = \"regression\" use \"square\" or \"huber\"."
          ))
      }
      if stop.targetAccuracy != nil {
        found.append(
          ("stop", "target_accuracy", "target_accuracy in [stop] can't be set with task = \"regression\"."))
      }
    }
    if stop.targetAccuracy != nil && data.test == nil && data.syntheticTest == 0 {
      found.append(
        (
          "stop", "target_accuracy",
          "target_accuracy in [stop] needs a test set. Set test in [data], or synthetic_test beside synthetic."
        ))
    }
    return found
  }
}

/// A setting of [data] that an option of a subcommand makes.
public struct DataSetting: Sendable {
  /// The key in [data].
  public let key: String
  /// How the user writes the option, for messages.
  public let option: String
  /// Its value in TOML, or a bare word.
  public let value: String

  public init(key: String, option: String, value: String) {
    self.key = key
    self.option = option
    self.value = value
  }
}

private func failure(_ mistakes: [String], _ status: ExitStatus = .badConfiguration) -> Failure {
  Failure(status, mistakes.joined(separator: "\n"), isShared: true)
}

/// What is wrong, in words for the user.
private struct Mistake: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

/// A key and a value, as the file or the command line has them.
private struct Entry {
  let section: String
  let name: String
  let datum: SettingValue
  /// For messages, such as `configs/x.toml, line 3`.
  let place: String
  /// The directory that a relative path starts from.
  let base: String

  init(section: String, name: String, datum: SettingValue, place: String, base: String) {
    self.section = section
    self.name = name
    self.datum = datum
    self.place = place
    self.base = base
  }

  /// An option `section.key=value`.
  init(option: String, pathsFrom base: String) throws(Mistake) {
    let sides = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = sides[0].split(separator: ".", omittingEmptySubsequences: false)
    guard sides.count == 2, path.count == 2 else {
      throw Mistake("--set \(option): expected section.key=value, such as --set training.iterations=50.")
    }
    self.init(
      section: withoutBlanks(path[0]), name: withoutBlanks(path[1]),
      datum: SettingValue(option: withoutBlanks(sides[1])),
      place: "--set \(option)", base: base)
  }

  /// The key that this is meant for.
  func key() throws(Mistake) -> Configuration.Key {
    let keys = Configuration.keys
    if let key = keys.first(where: { $0.section == section && $0.name == name }) { return key }
    guard Configuration.sections.contains(section) else {
      throw Mistake("\(place): \(unknown(section))")
    }
    let known = keys.filter { $0.section == section }.map(\.name)
    if nearest(to: name, among: known) == nil, let elsewhere = keys.first(where: { $0.name == name }) {
      throw Mistake(
        "\(place): unknown key \"\(name)\" in [\(section)]. It belongs in [\(elsewhere.section)].")
    }
    throw Mistake("\(place): unknown key \"\(name)\" in [\(section)]. " + suggestion(name, known))
  }
}

private func unknown(_ section: String) -> String {
  "unknown section [\(section)]. " + suggestion(section, Configuration.sections)
}

/// What the user may have meant.
private func suggestion(_ word: String, _ words: [String]) -> String {
  nearest(to: word, among: words).map { "Did you mean \"\($0)\"?" }
    ?? "Known are: \(words.joined(separator: ", "))."
}

/// The keys and values of a TOML text, in the order of their lines, and what is wrong with its sections.
private func fileEntries(
  _ text: String, file: String, pathsFrom base: String
) throws -> (entries: [Entry], mistakes: [String]) {
  guard !text.utf8.contains(0) else { throw failure(["\(file): holds a zero byte, so it is not TOML text."]) }
  let table: TOMLTable
  do {
    table = try TOMLTable(string: text)
  } catch let error as TOMLParseError {
    let at = error.source.begin
    throw failure(["\(file), line \(at.line), column \(at.column): not TOML: \(error.description)."])
  }
  let lines = keyLines(text)
  func place(_ path: String) -> String { lines[path].map { "\(file), line \($0)" } ?? file }
  var entries: [Entry] = []
  var mistakes: [String] = []
  for (section, value) in table {
    guard let inner = value.table else {
      let home = Configuration.keys.first { $0.name == section }?.section
      let advice =
        home.map { "It belongs in [\($0)]." } ?? "Every key belongs in a section such as [training]."
      mistakes.append("\(place(section)): the key \"\(section)\" stands outside of any section. \(advice)")
      continue
    }
    guard Configuration.sections.contains(section) else {
      mistakes.append("\(place(section)): \(unknown(section))")
      continue
    }
    for (name, value) in inner {
      let path = "\(section).\(name)"
      let at = lines[path] == nil ? place(section) : place(path)
      entries.append(
        Entry(section: section, name: name, datum: SettingValue(value), place: at, base: base))
    }
  }
  func line(_ entry: Entry) -> Int { lines["\(entry.section).\(entry.name)"] ?? lines[entry.section] ?? 0 }
  let ordered = entries.enumerated().sorted { (line($0.element), $0.offset) < (line($1.element), $1.offset) }
  return (ordered.map(\.element), mistakes)
}
