import Settings

/// [stop]: when to stop before the last iteration.
public struct StopSection: Sendable, Equatable {
  public init() {}

  public var targetAccuracy: Double? = nil
  public var tolerance: Double? = nil
  public var patience: Int? = nil
  public var timeLimit: TimeLimit? = nil
  /// Seconds.
  public var stallLimit = 600.0
  public var stallAction = StallAction.warn
  public var divergences = 3
  public var divergenceFactor = 1000.0

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
      "Stop, with a checkpoint, before the program has run so long, in seconds or as in \"1h30m\"; \"auto\" is until "
        + "the Slurm job ends."),
    SettingKey(
      "stall_limit", .duration, \.stallLimit,
      "How long a rank may keep the others waiting before its number, host and phase are told, in seconds or as in "
        + "\"10m\"."),
    SettingKey(
      "stall_action", .choice(), \.stallAction,
      "Whether a stall is only told, or also ends the job, with status 75. Ranks that still compute end no job."
    ),
    SettingKey(
      "divergences", .whole(from: 1, to: 1000), \.divergences,
      "The divergence that ends the run, with status 70. After each one before, training goes back to the iterate that "
        + "would be saved, and on with ten times the ridge or half the rate."),
    SettingKey(
      "divergence_factor", .number("a number above 1") { $0 > 1 }, \.divergenceFactor,
      "An objective so many times the lowest one so far, and that of outputs 0, is a divergence."),
  ]
}

/// What is done about a job that makes no progress.
public enum StallAction: String, CaseIterable, Sendable {
  /// It is said.
  case warn
  /// It is said, and the job ends with `stoppedEarly`.
  case end
}
