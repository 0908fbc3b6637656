import Basics
import Settings

/// [baselines]: what is trained beside the network, on the same data.
public struct BaselinesSection: Sendable, Equatable {
  public init() {}

  /// Names of `Configuration.methods`, or `randomFeatures`.
  public var methods: [String] = []
  /// nil is `training.iterations`.
  public var iterations: Int? = nil

  /// What is trained without iterations: the last layer alone.
  public static let randomFeatures = "random_features"

  private static let names = Configuration.methodNames + [randomFeatures]

  static let keys: [SettingKey<BaselinesSection>] = [
    SettingKey(
      "methods",
      .list("a list of any of " + names.map(quoted).joined(separator: ", "), of: .word(of: names)),
      \.methods,
      "What else is trained on the same data, to be held against: each a row of the last table. A linear model "
        + "always is."),
    SettingKey(
      unset: "iterations", .whole(from: 1, to: 1_000_000_000), \.iterations,
      "How many iterations each of them gets. Unset: as many as `iterations` in [training]."),
  ]
}
