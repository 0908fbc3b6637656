import Networks
import Settings

/// [network]: the shape, without the first and the last width, which the data decide.
public struct NetworkSection: Sendable, Equatable {
  public init() {}

  public var hidden = [64, 64, 64]
  public var activation = Activation.relu
  /// nil goes by the task: `Configuration.loss`.
  public var loss: Loss? = nil
  public var bias = true

  /// The most units that a hidden layer may have, and the most layers.
  private static let widest = 1_000_000
  private static let deepest = 100

  /// Settings that are right one by one and don't go together.
  var conflicts: [Conflict] {
    hidden.count <= Self.deepest
      ? []
      : [Conflict("network", "hidden", "has \(hidden.count) layers, expected \(Self.deepest) at the most.")]
  }

  static let keys: [SettingKey<NetworkSection>] = [
    SettingKey(
      "hidden",
      .list(
        "a list of whole numbers from 1 to \(widest), such as [300] or [100, 50]",
        of: .whole(from: 1, to: widest)),
      \.hidden,
      "The widths of the hidden layers, from the first. [] is a linear model."),
    SettingKey("activation", .choice(), \.activation, "The function of the hidden layers."),
    SettingKey(
      "loss", .optional(.text("auto"), or: .choice()), \.loss,
      "What training minimises; \"auto\" is \"logistic\" for two classes, \"softmax\" for more, \"square\" for a "
        + "regression."),
    SettingKey("bias", .truth(), \.bias, "Whether every layer has a bias."),
  ]
}
