import Settings

/// [stop]: when to stop before the last iteration.
public struct StopSection: Sendable, Equatable {
  public init() {}

  public var targetAccuracy: Double? = nil
  public var tolerance: Double? = nil
  public var patience: Int? = nil
  public var timeLimit: TimeLimit? = nil

  static let keys: [SettingKey<StopSection>] = [
    SettingKey(
      unset: "target_accuracy", .number("a number above 0, at most 1") { $0 > 0 && $0 <= 1 },
      \.targetAccuracy, "Stop when the test accuracy reaches this."),
    SettingKey(
      unset: "tolerance", .positive, \.tolerance,
      "Stop when the objective changes by less than this share of itself from one evaluation to the next."),
    SettingKey(
      unset: "patience", .whole(from: 1), \.patience,
      "Stop after this many evaluations in a row without a new best one."),
    SettingKey(
      unset: "time_limit", .timeLimit, \.timeLimit,
      "Stop, with a checkpoint, before the program has run so long, in seconds or as in \"1h30m\"; \"auto\" is until the "
        + "Slurm job ends."),
  ]
}
