import Glibc
import LinearAlgebra
import Networks
import Sums

/// The steps of Adam.
///
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     w ← w − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
///
/// Kingma & Ba (2015), algorithm 1. The gradient includes that of the penalty: L2, not decoupled weight decay, so
/// that Adam minimises the objective of the other methods.
final class Adam: StepRule {
  private let settings: AdamSettings
  /// m and v.
  private var mean, square: Matrix<Float>

  init(_ network: Network, _ settings: AdamSettings) {
    self.settings = settings
    mean = network.flatZeros()
    square = network.flatZeros()
  }

  func archive(_ state: any StateArchive) throws {
    try state("mean", &mean)
    try state("square", &square)
  }

  func step(_ w: inout Matrix<Float>, _ g: borrowing Matrix<Float>, rate: Double, number: Int) {
    let (beta1, beta2) = (Float(settings.beta1), Float(settings.beta2))
    let (share1, share2) = (Float(1 - settings.beta1), Float(1 - settings.beta2))
    let eta = Float(rate / (1 - pow(settings.beta1, Double(number + 1))))
    let scale = Float(1 / (1 - pow(settings.beta2, Double(number + 1))))
    let epsilon = Float(settings.epsilon)
    let (m, v, g, count) = (mean.mutableBase, square.mutableBase, g.base, w.count)
    let w = w.mutableBase
    for k in 0..<count {
      m[k] = beta1 * m[k] + share1 * g[k]
      v[k] = beta2 * v[k] + share2 * g[k] * g[k]
      w[k] -= eta * m[k] / ((v[k] * scale).squareRoot() + epsilon)
    }
  }

  func restart() {
    mean.fill(0)
    square.fill(0)
  }
}
