import LinearAlgebra
import MPI
import Networks

/// The linear model that a network must beat: W ← argmin Σ_n ‖y − W a_0‖² + ρ ‖W‖², with a bias.
///
/// It is the weight step of Algorithm 1 for a network of one layer whose outputs are the targets. For classes the
/// targets are ±1, one output a class where there are more than two; the decision is that of a network.
public struct LinearModel: ~Copyable {
  /// A network of one layer that predicts as this model does.
  public let network: Network
  /// Its only matrix, d_1 × (d_0 + 1).
  public let W: Layers<Matrix<Float>>

  /// Fits the model. Collective; two reductions, (d_0 + d_1) d_0 multiply-adds a sample.
  ///
  /// - Parameter ridge: relative to the mean square of a feature.
  /// - Throws: `NumericalError`, the same on all ranks, if the data's sums are not finite.
  public init(
    _ samples: borrowing Samples, ridge: Double = 1e-6, over ranks: borrowing Communicator
  ) throws {
    let network = Network(
      widths: [samples.featureCount, samples.outputs], activation: .identity, loss: .square, bias: true)
    var W = network.zeroWeights()
    try fitWeights(&W[1], network, samples, ridge: ridge, over: ranks) { $0.a0 }
    self.network = network
    self.W = W
  }
}
