import Settings

/// [output]: what a run leaves, and how often it reports.
public struct OutputSection: Sendable, Equatable {
  public init() {}

  /// Empty only in a configuration that was not read from a file.
  public var directory = ""
  public var evaluateEvery = 1
  public var overwrite = false

  private var directoryIfAny: String? {
    get { directory.isEmpty ? nil : directory }
    set { directory = newValue ?? "" }
  }

  static let keys: [SettingKey<OutputSection>] = [
    SettingKey(
      unset: "directory", .text("a path"), \.directoryIfAny,
      "The run directory, which is made, relative to the current directory. Unset: runs/ and the configuration "
        + "file's name without .toml."),
    SettingKey(
      "evaluate_every", .whole(from: 1), \.evaluateEvery,
      "How many iterations lie between evaluations; the last one is always evaluated."),
    SettingKey(
      "overwrite", .truth(), \.overwrite, "Whether a run directory that holds a run may be written over."),
  ]
}
