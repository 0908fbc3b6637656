import Basics
import MPI
import Networks
import Settings

/// The settings of method `cg`: nonlinear conjugate gradients.
public struct ConjugateGradientSettings: MethodSettings {
  public static let name = "cg"

  /// The weight of ½ Σ ‖V_l‖² beside the mean loss.
  public var l2 = 1e-4

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<ConjugateGradientSettings>] = [l2Key(\.l2)]

  public var summary: String { "Polak-Ribière+, L2 \(l2)" }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    try FullBatch.start(network, ConjugateGradient(), l2: l2, samples, options)
  }

  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    lineSearchBytes(network, samples: samples, threads: threads, pairs: 0)
  }

  public func advice(_ error: NumericalError) -> String { NumericalError.dataAdvice }
}

/// The bytes of a method of line searches on all samples: y, the iterate, its memory of so many pairs, and a pass.
func lineSearchBytes(_ network: Network, samples: Int, threads: Int, pairs: Int) -> Double {
  let columns = 6 + (pairs > 0 ? 2 * pairs + 1 : 0)
  return network.stateBytes(samples: samples, columns: columns, threads: threads)
}
