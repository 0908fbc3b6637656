import ADMM
import Glibc
import MPI
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
    var (entries, mistakes) = try fileEntries(text, file: file)
    for setting in settings {
      do throws(Mistake) {
        let entry = try Entry(option: setting)
        entries.removeAll { $0.section == entry.section && $0.name == entry.name }
        entries.append(entry)
      } catch { mistakes.append(error.message) }
    }
    try self.init(
      entries, mistakes, fileDirectory: absolute(directory(of: file), in: currentDirectory),
      currentDirectory: currentDirectory)
    if !entries.contains(where: { $0.section == "output" && $0.name == "directory" }) {
      output.directory = "runs/" + stem(of: file)
    }
    mistakes = conflicts { section, name in
      entries.first { $0.section == section && $0.name == name }?.place ?? file
    }
    if data.train == nil {
      mistakes.append("\(file): no training set. Set train in [data] to a file's path.")
    }
    guard mistakes.isEmpty else { throw failure(mistakes) }
  }

  /// Takes over [data] settings alone, each under the name of the option that it was given by. Local.
  ///
  /// - Parameters:
  ///   - options: the key in [data], the option's spelling for messages, and the value.
  /// - Throws: a shared `Failure` of status `usage`.
  public init(
    dataOptions options: [(key: String, option: String, value: String)], currentDirectory: String
  ) throws {
    let entries = options.map {
      Entry(
        section: "data", name: $0.key, datum: TOMLDatum(option: $0.value), place: $0.option, isOption: true)
    }
    do {
      try self.init(entries, [], fileDirectory: currentDirectory, currentDirectory: currentDirectory)
    } catch let failure as Failure {
      throw Failure(.usage, failure.message, isShared: true)
    }
  }

  private init(
    _ entries: [Entry], _ earlier: [String], fileDirectory: String, currentDirectory: String
  ) throws {
    var mistakes = earlier
    var preset = Preset.robust
    if let entry = entries.first(where: { $0.section == "taylor" && $0.name == "preset" }),
      case .text(let name) = entry.datum
    {
      preset = Preset(rawValue: name) ?? preset
    }
    self.init(preset: preset)
    for entry in entries {
      do throws(Mistake) {
        let key = try entry.key()
        guard key.read(entry.datum, &self) else {
          let hint = key.hint(entry.datum).map { " \($0)" } ?? ""
          throw Mistake(
            "\(entry.place): \(key.name) = \(entry.datum.toml) in [\(key.section)], expected \(key.expected).\(hint)"
          )
        }
        let base = entry.isOption ? currentDirectory : fileDirectory
        for field in Self.paths where key.name == field.name && key.section == "data" {
          self[keyPath: field.path] = self[keyPath: field.path].map { absolute($0, in: base) }
        }
      } catch { mistakes.append(error.message) }
    }
    guard mistakes.isEmpty else { throw failure(mistakes) }
  }

  private static var paths: [(name: String, path: WritableKeyPath<Configuration, String?>)] {
    [
      ("train", \.data.train), ("test", \.data.test), ("train_labels", \.data.trainLabels),
      ("test_labels", \.data.testLabels),
    ]
  }

  /// What is wrong with settings that are right one by one.
  ///
  /// - Parameter place: where a key was set.
  private func conflicts(_ place: (_ section: String, _ name: String) -> String) -> [String] {
    var mistakes: [String] = []
    func check(_ isRight: Bool, _ section: String, _ name: String, _ message: String) {
      if !isRight { mistakes.append("\(place(section, name)): \(message)") }
    }
    for (name, penalty, count, layer) in [
      ("beta", taylor.beta, weightLayers, "weight"), ("gamma", taylor.gamma, weightLayers - 1, "hidden"),
    ] {
      guard case .each(let values) = penalty else { continue }
      check(
        values.count == count, "taylor", name,
        "\(name) in [taylor] has \(values.count) values, but hidden = \(network.hidden) in [network] makes \(count) \(layer) layer\(count == 1 ? "" : "s")."
      )
    }
    if let classes = data.classes {
      check(
        classes.count >= 2, "data", "classes",
        "classes in [data] names \(classes.count), expected two or more.")
      check(Set(classes).count == classes.count, "data", "classes", "classes in [data] names a class twice.")
      check(
        data.positiveClass == nil, "data", "positive_class",
        "positive_class in [data] can't be set beside classes. Name the two classes, the positive one last, or remove one key."
      )
    }
    if data.task == .regression {
      check(
        network.loss.isForRegression, "network", "loss",
        "loss = \"\(network.loss)\" in [network] is for classes. With task = \"regression\" use \"square\" or \"huber\"."
      )
      check(
        data.classes == nil, "data", "classes", "classes in [data] can't be set with task = \"regression\".")
      check(
        data.positiveClass == nil, "data", "positive_class",
        "positive_class in [data] can't be set with task = \"regression\".")
      check(
        stop.targetAccuracy == nil, "stop", "target_accuracy",
        "target_accuracy in [stop] can't be set with task = \"regression\".")
    }
    check(
      data.test == nil || data.validationFraction == 0, "data", "validation_fraction",
      "validation_fraction in [data] is for runs without a test set. Remove it, or test.")
    check(
      stop.targetAccuracy == nil || data.test != nil || data.validationFraction > 0, "stop",
      "target_accuracy",
      "target_accuracy in [stop] needs samples to test on. Set test or validation_fraction in [data].")
    return mistakes
  }
}

private func failure(_ mistakes: [String]) -> Failure {
  Failure(.badConfiguration, mistakes.joined(separator: "\n"), isShared: true)
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
  let datum: TOMLDatum
  /// For messages, such as `configs/x.toml, line 3`.
  let place: String
  /// Whether it comes from the command line.
  let isOption: Bool

  init(section: String, name: String, datum: TOMLDatum, place: String, isOption: Bool) {
    self.section = section
    self.name = name
    self.datum = datum
    self.place = place
    self.isOption = isOption
  }

  /// An option `section.key=value`.
  init(option: String) throws(Mistake) {
    let sides = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = sides[0].split(separator: ".", omittingEmptySubsequences: false)
    guard sides.count == 2, path.count == 2 else {
      throw Mistake("--set \(option): expected section.key=value, such as --set training.iterations=50.")
    }
    self.init(
      section: trimmed(path[0]), name: trimmed(path[1]), datum: TOMLDatum(option: trimmed(sides[1])),
      place: "--set \(option)", isOption: true)
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
private func fileEntries(_ text: String, file: String) throws -> (entries: [Entry], mistakes: [String]) {
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
        Entry(section: section, name: name, datum: TOMLDatum(value), place: at, isOption: false))
    }
  }
  func line(_ entry: Entry) -> Int { lines["\(entry.section).\(entry.name)"] ?? lines[entry.section] ?? 0 }
  let ordered = entries.enumerated().sorted { (line($0.element), $0.offset) < (line($1.element), $1.offset) }
  return (ordered.map(\.element), mistakes)
}
