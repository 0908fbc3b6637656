import Glibc
import LinearAlgebra

/// m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  w ← w − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). Local, the same on
/// every rank.
///
/// Kingma & Ba (2015), algorithm 1. The gradient includes that of the penalty: L2, not decoupled weight decay, so that Adam minimises
/// the objective of the other methods.
///
/// - Parameters:
///   - w: the weights, changed in place.
///   - g: their gradient.
///   - mean: m, changed in place; 0 at the start.
///   - square: v, changed in place; 0 at the start.
///   - rate: η.
///   - step: t − 1: how many steps went before.
func adamStep(
  _ w: borrowing Matrix<Float>, _ g: borrowing Matrix<Float>, mean: borrowing Matrix<Float>,
  square: borrowing Matrix<Float>, _ settings: AdamSettings, rate: Double, step: Int
) {
  let (beta1, beta2) = (Float(settings.beta1), Float(settings.beta2))
  let (share1, share2) = (Float(1 - settings.beta1), Float(1 - settings.beta2))
  let eta = Float(rate / (1 - pow(settings.beta1, Double(step + 1))))
  let scale = Float(1 / (1 - pow(settings.beta2, Double(step + 1))))
  let epsilon = Float(settings.epsilon)
  let (w, g, m, v, count) = (w.base, g.base, mean.base, square.base, w.count)
  for k in 0..<count {
    m[k] = beta1 * m[k] + share1 * g[k]
    v[k] = beta2 * v[k] + share2 * g[k] * g[k]
    w[k] -= eta * m[k] / ((v[k] * scale).squareRoot() + epsilon)
  }
}
