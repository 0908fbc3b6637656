import Basics
import MPI
import Networks
import Settings

/// The settings of method `consistent`: Algorithm 1 with a multiplier on every constraint. One set of defaults
/// serves every data set.
public struct ConsistentSettings: MethodSettings {
  public static let name = "consistent"

  /// β_L at the start; the other penalties follow from it.
  public var beta = 0.5
  /// The weight of ½ Σ ‖V_l‖² beside the mean loss; nil is `Network.priorL2` of 90.
  public var l2: Double? = nil
  /// How strongly W_l is held to what it was: this times the mean of the diagonal of G_l.
  public var proximal = 0.1
  /// μ of the weights.
  public var momentum = 0.9
  /// Whether the penalties are adapted when the objective rises or a constraint is off.
  public var safeguard = true

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<ConsistentSettings>] = [
    SettingKey(
      "penalty", .positive, \.beta,
      "β of the last layer at the start; the others follow from the weights."),
    SettingKey(
      "l2", .automatic, \.l2,
      "The weight of half the squared weights, biases left out, beside the mean loss; \"auto\" is 90 / samples, "
        + "with a loss for classes 90 / 10000 at the most."),
    SettingKey(
      "proximal", .positive, \.proximal,
      "How strongly weights are held to what they were, as a share of the Gram matrix's mean diagonal."),
    SettingKey("momentum", .share, \.momentum, "The momentum of the weights."),
    SettingKey(
      "safeguard", .truth(), \.safeguard,
      "Whether penalties rise, and the momentum is dropped, when the objective rises."),
  ]

  public var summary: String {
    "penalty \(beta), momentum \(momentum)" + (safeguard ? "" : ", no safeguard")
  }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    try Consistent.start(network, self, samples, options, over: ranks)
  }

  /// y, the multipliers, and what is the same on every rank.
  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    network.stateBytes(samples: samples, columns: 4, threads: threads)
      + Multipliers.bytesPerSample(network) * Double(samples)
  }

  public func advice(_ error: NumericalError) -> String {
    "Raise consistent.proximal, lower consistent.momentum. " + NumericalError.dataAdvice
  }
}
