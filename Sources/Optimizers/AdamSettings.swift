import Basics
import MPI
import Networks
import Settings

/// The settings of method `adam`.
public struct AdamSettings: MethodSettings {
  public static let name = "adam"

  public var common = MiniBatchSettings(rate: 0.005)
  /// β₁.
  public var beta1 = 0.9
  /// β₂.
  public var beta2 = 0.999
  /// ε.
  public var epsilon = 1e-8

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<AdamSettings>] =
    MiniBatchSettings.keys.map { $0.of(\.common) } + [
      SettingKey(
        "beta1", .share, \.beta1, "The share of the running mean of the gradients that a step keeps."),
      SettingKey(
        "beta2", .share, \.beta2,
        "The share of the running mean of the squared gradients that a step keeps."),
      SettingKey(
        "epsilon", .positive, \.epsilon,
        "What is added to the root of the mean square, by which a step is divided."),
    ]

  public var summary: String { common.summary }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    try MiniBatch.start(network, common, Adam(network, self), samples, options)
  }

  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    common.stateBytes(network, samples: samples, threads: threads, means: 2)
  }

  public func advice(_ error: NumericalError) -> String { "Lower adam.rate. " + NumericalError.dataAdvice }
}
