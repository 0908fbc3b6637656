import ADMM
import Settings

/// A setting that had another name in an earlier version, and still works under it, in files and by `--set` alike.
struct FormerName: Sendable {
  /// What became of it.
  enum Now: Sendable {
    /// The key has another name. Where that is of a method, the old one is known only beside this method.
    case key(section: String, name: String)
    /// This word of the key made `former` what is the method `now`; unless another key, which outranked it, said
    /// otherwise.
    case method(word: String, former: String, now: String, unless: String? = nil)
  }

  let section: String
  let name: String
  let now: Now

  /// The only list of them. Method `consistent` was a kind of `taylor`.
  static let all: [FormerName] =
    [
      FormerName(
        section: TaylorSettings.name, name: "multiplier",
        now: .method(word: "all", former: TaylorSettings.name, now: ConsistentSettings.name)),
      FormerName(
        section: TaylorSettings.name, name: "preset",
        now: .method(
          word: "consistent", former: TaylorSettings.name, now: ConsistentSettings.name, unless: "multiplier")
      ),
    ]
    + ["penalty", "l2", "proximal", "momentum", "safeguard"].map { name in
      FormerName(
        section: TaylorSettings.name, name: name, now: .key(section: ConsistentSettings.name, name: name))
    }

  /// Where the key of an entry is now, if it has moved.
  static func key(of entry: Entry) -> (section: String, name: String)? {
    for former in all where former.section == entry.section && former.name == entry.name {
      if case .key(let section, let name) = former.now { return (section, name) }
    }
    return nil
  }
}

extension Entries {
  /// Says all in the names of now. Local; deterministic.
  ///
  /// - Returns: what is wrong: a key that is set under both names.
  mutating func renameFormerNames() -> [String] {
    var meant = trainedMethods
    for former in FormerName.all {
      if case .method(let word, let old, let new, let other) = former.now,
        let entry = self[former.section, former.name], entry.value == .text(word)
      {
        self[former.section, former.name] = nil
        if let other, self[former.section, other] != nil { continue }
        renameMethod(old, to: new, saidBy: entry)
        meant.append(new)
      }
    }
    return renameKeys(ofMethods: meant)
  }

  /// Has method `new` train wherever `old` would: also where no method is named, since the section of `old` is there.
  private mutating func renameMethod(_ old: String, to new: String, saidBy entry: Entry) {
    func renamed(_ value: SettingValue) -> SettingValue { value == .text(old) ? .text(new) : value }
    if let method = self["training", "method"] {
      self["training", "method"]?.value = renamed(method.value)
    } else {
      var method = entry
      (method.section, method.name, method.value) = ("training", "method", .text(new))
      self["training", "method"] = method
    }
    if case .list(let names)? = self["baselines", "methods"]?.value {
      self["baselines", "methods"]?.value = .list(names.map(renamed))
    }
  }

  /// Gives keys their names of now: those of a method only if it is one of `methods`.
  private mutating func renameKeys(ofMethods methods: [String]) -> [String] {
    var mistakes: [String] = []
    for entry in all {
      guard let (section, name) = FormerName.key(of: entry),
        !Configuration.methodNames.contains(section) || methods.contains(section)
      else { continue }
      var moved = entry
      (moved.section, moved.name) = (section, name)
      if let other = self[section, name] {
        // As everywhere, the command line outranks the file.
        if entry.isOption == other.isOption {
          mistakes.append(
            "\(entry.place): \(entry.name) in [\(entry.section)] is the former name of \(name) in [\(section)], "
              + "which is set too. Remove one of the two.")
        }
        if !entry.isOption { moved = other }
      }
      self[entry.section, entry.name] = nil
      self[section, name] = moved
    }
    return mistakes
  }

  /// The names of the methods of [training] and [baselines].
  private var trainedMethods: [String] {
    var values = [self["training", "method"]?.value ?? .text(TrainingSection().method)]
    if case .list(let names)? = self["baselines", "methods"]?.value { values += names }
    return values.compactMap { if case .text(let name) = $0 { name } else { nil } }
  }
}
