import Settings

/// [checkpoint]: how often the state of a run is saved, from which it can go on.
public struct CheckpointSection: Sendable, Equatable {
  public init() {}

  /// 0: not by their number.
  public var everyIterations = 0
  /// 0: not by time.
  public var everyMinutes = 10.0
  public var keep = 2
  public var atEnd = false

  static let keys: [SettingKey<CheckpointSection>] = [
    SettingKey(
      "every_iterations", .whole(from: 0), \.everyIterations,
      "How many iterations lie between checkpoints; 0 for none by their number."),
    SettingKey(
      "every_minutes", .nonNegative, \.everyMinutes,
      "How many minutes lie between checkpoints, more where they would take over 1 % of the time; 0 for none by time. "
        + "A signal and a time limit bring one in any case."),
    SettingKey(
      "keep", .whole(from: 1, to: 1000), \.keep, "How many checkpoints are kept, the newest."),
    SettingKey(
      "at_end", .truth(), \.atEnd,
      "Whether a run that comes to its end leaves a checkpoint, from which it goes on with more iterations."),
  ]
}
