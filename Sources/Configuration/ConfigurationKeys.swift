import Networks
import Settings

extension Configuration {
  /// One key of the file. Reading, `--print-config` and the check of the manual work from this.
  public struct Key: Sendable {
    /// The section's name, without brackets.
    public let section: String
    /// All else.
    let setting: SettingKey<Configuration>

    /// The key's name.
    public var name: String { setting.name }

    /// `section.key`, as `--set` takes it.
    public var path: String { "\(section).\(name)" }

    /// What the key accepts: completes "expected …".
    public var expected: String { setting.expected }

    /// What it does, in a sentence or two.
    public var meaning: String { setting.meaning }

    /// The value that it has in a configuration, in TOML; nil if it is unset.
    func text(_ configuration: Configuration) -> String? { setting.write(configuration)?.toml }
  }

  /// Every key there is, section by section.
  public static let keys: [Key] =
    section("data", DataSection.keys, \.data) + section("network", NetworkSection.keys, \.network)
    + section("training", TrainingSection.keys, \.training)
    + methods.flatMap { methodSection($0) }
    + section("baselines", BaselinesSection.keys, \.baselines) + section("stop", StopSection.keys, \.stop)
    + section("checkpoint", CheckpointSection.keys, \.checkpoint)
    + section("output", OutputSection.keys, \.output)

  /// The sections in the order in which they are shown.
  public static let sections = keys.map(\.section).reduce(into: [String]()) { names, name in
    if names.last != name { names.append(name) }
  }

  /// The key of this name in this section.
  static func key(_ section: String, _ name: String) -> Key? {
    keys.first { $0.section == section && $0.name == name }
  }

  private static func section<Section>(
    _ name: String, _ keys: [SettingKey<Section>], _ field: WritableKeyPath<Configuration, Section> & Sendable
  ) -> [Key] {
    keys.map { Key(section: name, setting: $0.of(field)) }
  }

  private static func methodSection<Settings: MethodSettings>(_ type: Settings.Type) -> [Key] {
    type.keys.map { key in
      let whole: SettingKey<Configuration> = key.of {
        $0.methods[Settings.self]
      } _: {
        $1(&$0.methods[Settings.self])
      }
      return Key(section: type.name, setting: whole)
    }
  }
}

// MARK: Presets

extension Configuration {
  /// Every preset of every method with all its defaults.
  static let presets: [(name: String, defaults: Configuration)] = methods.flatMap { method in
    method.presets.map { preset in
      var configuration = Configuration()
      configuration.take(preset)
      return (preset.name, configuration)
    }
  }

  /// Makes the defaults of a preset the values in force.
  ///
  /// - Precondition: it names keys, and values that they accept.
  mutating func take(_ preset: MethodPreset) {
    for (path, value) in preset.defaults {
      guard let key = Self.keys.first(where: { $0.path == path }), key.setting.read(value, &self) else {
        preconditionFailure("preset \(preset.name): \(path) can't be \(value.toml)")
      }
    }
  }
}
