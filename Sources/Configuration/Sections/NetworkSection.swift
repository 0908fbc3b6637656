import Networks
import Settings

/// [network]: the shape, without the first and the last width, which the data decide.
public struct NetworkSection: Sendable, Equatable {
  public init() {}

  public var hidden = [300]
  public var activation = Activation.relu
  public var loss = Loss.hinge
  public var bias = true

  static let keys: [SettingKey<NetworkSection>] = [
    SettingKey(
      "hidden",
      .list("a list of whole numbers, 1 or more, such as [300] or [100, 50]", of: .whole(from: 1)),
      \.hidden,
      "The widths of the hidden layers, from the first. [] is a linear model."),
    SettingKey("activation", .choice(), \.activation, "The function of the hidden layers."),
    SettingKey("loss", .choice(), \.loss, "What training minimises."),
    SettingKey("bias", .truth(), \.bias, "Whether every layer has a bias."),
  ]
}
