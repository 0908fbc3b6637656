import Basics
import MPI
import Networks
import Settings

/// The settings of method `lbfgs`: L-BFGS.
public struct LBFGSSettings: MethodSettings {
  public static let name = "lbfgs"

  /// The weight of ½ Σ ‖V_l‖² beside the mean loss.
  public var l2 = 1e-4
  /// How many past steps are remembered.
  public var pairs = 20

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<LBFGSSettings>] = [
    SettingKey("pairs", .whole(from: 1, to: 1000), \.pairs, "How many past steps are remembered."),
    l2Key(\.l2),
  ]

  public var summary: String { "\(counted(pairs, "pair")), L2 \(l2)" }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    try FullBatch.start(network, LBFGS(network, pairs: pairs), l2: l2, samples, options)
  }

  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    lineSearchBytes(network, samples: samples, threads: threads, pairs: pairs)
  }

  public func advice(_ error: NumericalError) -> String { NumericalError.dataAdvice }
}
