/// One key of a section: all that the program knows about it. It stands beside the settings that it is of; reading a
/// configuration, `--print-config` and the manual work from it.
public struct SettingKey<Settings>: Sendable {
  /// The key's name.
  public let name: String
  /// What the key accepts: completes "expected …".
  public let expected: String
  /// What it does, in a sentence or two.
  public let meaning: String
  /// Whether its value is the path of a file, which may be relative to where it is written.
  package let isPath: Bool
  /// Takes over a value, or returns false.
  package let read: @Sendable (SettingValue, inout Settings) -> Bool
  /// The value in force; nil if there is none.
  package let write: @Sendable (Settings) -> SettingValue?
  /// One more sentence about a refused value.
  package let hint: @Sendable (SettingValue) -> String?

  private init(
    _ name: String, _ expected: String, _ meaning: String, isPath: Bool,
    read: @escaping @Sendable (SettingValue, inout Settings) -> Bool,
    write: @escaping @Sendable (Settings) -> SettingValue?,
    hint: @escaping @Sendable (SettingValue) -> String?
  ) {
    self.name = name
    self.expected = expected
    self.meaning = meaning
    self.isPath = isPath
    self.read = read
    self.write = write
    self.hint = hint
  }

  /// A key that always has a value.
  package init<Value>(
    _ name: String, _ kind: ValueKind<Value>, _ field: WritableKeyPath<Settings, Value> & Sendable,
    _ meaning: String
  ) {
    self.init(name, kind.expected, meaning, isPath: kind.isPath) { value, settings in
      guard let value = kind.read(value) else { return false }
      settings[keyPath: field] = value
      return true
    } write: {
      kind.write($0[keyPath: field])
    } hint: {
      kind.hint($0)
    }
  }

  /// A key that may be left unset.
  package init<Value>(
    unset name: String, _ kind: ValueKind<Value>, _ field: WritableKeyPath<Settings, Value?> & Sendable,
    _ meaning: String
  ) {
    self.init(name, kind.expected, meaning, isPath: kind.isPath) { value, settings in
      guard let value = kind.read(value) else { return false }
      settings[keyPath: field] = value
      return true
    } write: {
      $0[keyPath: field].map(kind.write)
    } hint: {
      kind.hint($0)
    }
  }

  /// The same key of something that holds these settings.
  package func of<Whole>(
    _ get: @escaping @Sendable (Whole) -> Settings,
    _ change: @escaping @Sendable (inout Whole, (inout Settings) -> Bool) -> Bool
  ) -> SettingKey<Whole> {
    SettingKey<Whole>(name, expected, meaning, isPath: isPath) { value, whole in
      change(&whole) { read(value, &$0) }
    } write: {
      write(get($0))
    } hint: {
      hint($0)
    }
  }

  /// The same key of something that holds these settings in a field.
  package func of<Whole>(_ field: WritableKeyPath<Whole, Settings> & Sendable) -> SettingKey<Whole> {
    of {
      $0[keyPath: field]
    } _: {
      $1(&$0[keyPath: field])
    }
  }
}
