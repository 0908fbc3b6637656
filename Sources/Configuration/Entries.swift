import Basics
import Files
import Settings
import TOMLKit

/// What is wrong, in words for the user.
struct Mistake: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

/// A key and a value, as the file or the command line has them.
struct Entry {
  var section: String
  var name: String
  var value: SettingValue
  /// For messages, such as `configs/x.toml, line 3`.
  let place: String
  /// The directory that a relative path starts from.
  let base: String
  /// Whether it is from the command line.
  let isOption: Bool

  init(
    section: String, name: String, value: SettingValue, place: String, base: String, isOption: Bool
  ) {
    self.section = section
    self.name = name
    self.value = value
    self.place = place
    self.base = base
    self.isOption = isOption
  }

  /// An option `section.key=value`.
  init(option: String, pathsFrom base: String) throws(Mistake) {
    let sides = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = sides[0].split(separator: ".", omittingEmptySubsequences: false)
    guard sides.count == 2, path.count == 2 else {
      throw Mistake(
        "--set \(shortened(option)): expected section.key=value, such as --set training.iterations=50.")
    }
    self.init(
      section: withoutBlanks(path[0]), name: withoutBlanks(path[1]),
      value: SettingValue(option: withoutBlanks(sides[1])),
      place: "--set \(shortened(option))", base: base, isOption: true)
  }

  /// The key that this is meant for.
  func key() throws(Mistake) -> Configuration.Key {
    if let key = Configuration.key(section, name) { return key }
    guard Configuration.sections.contains(section) else {
      throw Mistake("\(place): \(unknown(section))")
    }
    let keys = Configuration.keys
    let known = keys.filter { $0.section == section }.map(\.name)
    throw Mistake(
      "\(place): unknown key \"\(shortened(name))\" in [\(section)]. "
        + (formerAdvice ?? (nearest(to: name, among: known) == nil ? homeAdvice : nil)
          ?? suggestion(name, known))
    )
  }

  private var formerAdvice: String? {
    FormerName.key(of: self).map { "It is \"\($0.name)\" in [\($0.section)], of another method." }
  }

  private var homeAdvice: String? {
    Configuration.keys.first { $0.name == name }.map { "It belongs in [\($0.section)]." }
  }
}

private func unknown(_ section: String) -> String {
  "unknown section [\(shortened(section))]. " + suggestion(section, Configuration.sections)
}

/// What the user may have meant.
private func suggestion(_ word: String, _ words: [String]) -> String {
  nearest(to: word, among: words).map { "Did you mean \"\($0)\"?" }
    ?? "Known are: \(words.joined(separator: ", "))."
}

/// All that the file and the command line say, in the order of the lines, the command line last.
struct Entries {
  private(set) var all: [Entry] = []

  /// The entry of this key, if there is one.
  subscript(section: String, name: String) -> Entry? {
    get { all.first { $0.section == section && $0.name == name } }
    set {
      let place = all.firstIndex { $0.section == section && $0.name == name }
      switch (place, newValue) {
      case (let place?, let entry?): all[place] = entry
      case (let place?, nil): all.remove(at: place)
      case (nil, let entry?): all.append(entry)
      case (nil, nil): break
      }
    }
  }

  /// Puts an option in the place of what was said before.
  mutating func replace(by entry: Entry) {
    all.removeAll { $0.section == entry.section && $0.name == entry.name }
    all.append(entry)
  }

  /// The keys and values of a TOML text, in the order of their lines, and what is wrong with its sections.
  static func read(
    _ text: String, file: String, pathsFrom base: String
  ) throws -> (entries: Entries, mistakes: [String]) {
    let (table, lines) = try parsed(text, file: file)
    func place(_ path: String) -> String { lines[path].map { "\(file), line \($0)" } ?? file }
    var entries: [Entry] = []
    var mistakes: [String] = []
    for (section, value) in table {
      guard let inner = value.table else {
        mistakes.append("\(place(section)): \(noSection(section))")
        continue
      }
      guard Configuration.sections.contains(section) else {
        mistakes.append("\(place(section)): \(unknown(section))")
        continue
      }
      for (name, value) in inner {
        let path = "\(section).\(name)"
        entries.append(
          Entry(
            section: section, name: name, value: SettingValue(value),
            place: place(lines[path] == nil ? section : path), base: base, isOption: false))
      }
    }
    func line(_ entry: Entry) -> Int {
      lines["\(entry.section).\(entry.name)"] ?? lines[entry.section] ?? 0
    }
    let ordered = entries.enumerated().sorted {
      (line($0.element), $0.offset) < (line($1.element), $1.offset)
    }
    return (Entries(all: ordered.map(\.element)), mistakes)
  }

  /// What a text says, and on which lines.
  private static func parsed(
    _ text: String, file: String
  ) throws -> (table: TOMLTable, lines: [String: Int]) {
    func refusal(_ line: Int, _ column: Int, _ message: String) -> Failure {
      failure(["\(file), line \(line), column \(column): not TOML: \(shortened(message, to: 200))"])
    }
    do {
      let lines = try keyLines(text)
      return (try TOMLTable(string: text), lines)
    } catch let fault as TOMLScanner.Fault {
      throw refusal(fault.line, fault.column, fault.message)
    } catch let error as TOMLParseError {
      throw refusal(error.source.begin.line, error.source.begin.column, "\(error.description).")
    }
  }

  /// What is said of a key without a section, and of a section that is a value or a list.
  private static func noSection(_ name: String) -> String {
    if Configuration.sections.contains(name) {
      return "[\(name)] is a section: write its name in single brackets in a line of its own, its keys below."
    }
    let home = Configuration.keys.first { $0.name == name }?.section
    let advice =
      home.map { "It belongs in [\($0)]." } ?? "Every key belongs in a section such as [training]."
    return "the key \"\(shortened(name))\" stands outside of any section. \(advice)"
  }
}
