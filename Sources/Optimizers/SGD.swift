import LinearAlgebra
import Networks
import Sums

/// The steps of stochastic gradient descent.
///
///     M ← μ M + g,   w ← w − η M, or w ← w − η (g + μ M) after Nesterov
///
/// Sutskever, Martens, Dahl & Hinton (2013), in the form of PyTorch: the momentum is not in units of the rate.
final class SGD: StepRule {
  private let settings: SGDSettings
  private var momentum: Matrix<Float>

  init(_ network: Network, _ settings: SGDSettings) {
    self.settings = settings
    momentum = network.flatZeros()
  }

  func archive(_ state: any StateArchive) throws { try state("momentum", &momentum) }

  func step(_ w: inout Matrix<Float>, _ g: borrowing Matrix<Float>, rate: Double, number: Int) {
    momentumStep(
      &w, &momentum, g, mu: Float(settings.momentum), rate: Float(rate), looksAhead: settings.nesterov)
  }

  func restart() { momentum.fill(0) }
}
