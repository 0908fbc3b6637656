import ADMM
import Basics
import Files
import MPI
import Settings

extension Configuration {
  /// Reads a configuration file on rank 0 and gives every rank the same settings. Collective.
  ///
  /// - Parameters:
  ///   - file: path of a TOML file.
  ///   - settings: `section.key=value`, each of which replaces the file's value. Paths in them are relative to the
  ///     current directory.
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
  ///   - file: its path, for messages, for the paths in it, which are relative to its directory, and for the default
  ///     run directory.
  ///   - currentDirectory: what relative paths on the command line start from; absolute.
  ///   - settings: `section.key=value`.
  /// - Throws: a `Failure` of status `badConfiguration`, marked as shared: every rank must call this with the same
  ///   arguments.
  public init(text: String, file: String, currentDirectory: String, settings: [String] = []) throws {
    var (entries, mistakes) = try Entries.read(
      text, file: file, pathsFrom: absolute(directory(of: file), in: currentDirectory))
    for setting in settings {
      do throws(Mistake) {
        entries.replace(by: try Entry(option: setting, pathsFrom: currentDirectory))
      } catch { mistakes.append(error.message) }
    }
    mistakes += entries.renameFormerNames()

    self.init()
    named = Set(entries.all.map { "\($0.section).\($0.name)" })
    output.directory = "runs/" + stem(of: file)
    takeMethod(of: entries)
    takePresets(of: entries)
    for entry in entries.all {
      do throws(Mistake) { try apply(entry) } catch { mistakes.append(error.message) }
    }
    guard mistakes.isEmpty else { throw failure(mistakes) }

    mistakes = conflicts.map { conflict in
      "\(entries[conflict.section, conflict.key]?.place ?? file): \(conflict.message)"
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
        section: "data", name: setting.key, value: SettingValue(option: setting.value), place: setting.option,
        base: currentDirectory, isOption: true)
      do throws(Mistake) { try apply(entry) } catch { mistakes.append(error.message) }
    }
    if mistakes.isEmpty {
      mistakes = data.classConflicts.map { conflict in
        "\(settings.first { $0.key == conflict.key }?.option ?? conflict.key): \(conflict.message)"
      }
    }
    guard mistakes.isEmpty else { throw failure(mistakes, .usage) }
  }

  private mutating func apply(_ entry: Entry) throws(Mistake) {
    let key = try entry.key()
    var value = entry.value
    if key.setting.isPath, case .text(let path) = value, !path.isEmpty {
      value = .text(absolute(path, in: entry.base))
    }
    guard key.setting.read(value, &self) else {
      let hint = key.setting.hint(entry.value).map { " \($0)" } ?? ""
      throw Mistake(
        "\(entry.place): \(key.name) = \(shortened(entry.value.toml)) in [\(key.section)], "
          + "expected \(key.expected).\(hint)"
      )
    }
  }

  /// Takes the method that trains where none is named: `taylor` if its section is there for it, else the default.
  private mutating func takeMethod(of entries: Entries) {
    guard entries.all.contains(where: { $0.section == TaylorSettings.name }) else { return }
    if case .list(let baselines)? = entries["baselines", "methods"]?.value,
      baselines.contains(.text(TaylorSettings.name))
    {
      return
    }
    training.method = TaylorSettings.name
  }

  /// Makes the defaults of the presets that are chosen the values in force; what else the entries say comes after.
  private mutating func takePresets(of entries: Entries) {
    for method in Self.methods {
      guard case .text(let name)? = entries[method.name, "preset"]?.value else { continue }
      method.presets.filter { $0.name == name }.forEach { take($0) }
    }
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

/// All mistakes in one, as many as fit a screen.
func failure(_ mistakes: [String], _ status: ExitStatus = .badConfiguration) -> Failure {
  let most = 30
  let rest = mistakes.count > most ? ["… and \(mistakes.count - most) more mistakes."] : []
  return Failure(status, (mistakes.prefix(most) + rest).joined(separator: "\n"), isShared: true)
}
