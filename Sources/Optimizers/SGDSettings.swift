import Basics
import MPI
import Networks
import Settings

/// The settings of method `sgd`: stochastic gradient descent with momentum.
public struct SGDSettings: MethodSettings {
  public static let name = "sgd"

  public var common = MiniBatchSettings(rate: 0.1)
  /// μ.
  public var momentum = 0.9
  /// Whether the step looks ahead along the momentum.
  public var nesterov = true

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<SGDSettings>] =
    MiniBatchSettings.keys.map { $0.of(\.common) } + [
      SettingKey(
        "momentum", .share, \.momentum, "μ: the share of the former steps that a step repeats."),
      SettingKey("nesterov", .truth(), \.nesterov, "Whether a step looks ahead along the momentum."),
    ]

  public var summary: String {
    "\(nesterov ? "Nesterov momentum" : "momentum") \(momentum), \(common.summary)"
  }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    try MiniBatch.start(network, common, SGD(network, self), samples, options)
  }

  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    common.stateBytes(network, samples: samples, threads: threads, means: 1)
  }

  public func advice(_ error: NumericalError) -> String { "Lower sgd.rate. " + NumericalError.dataAdvice }
}
