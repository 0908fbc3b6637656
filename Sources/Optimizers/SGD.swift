import LinearAlgebra

/// M ← μ M + g,  w ← w − η M, or w ← w − η (g + μ M) after Nesterov. Local, the same on every rank.
///
/// Sutskever, Martens, Dahl & Hinton (2013), in the form of PyTorch: the momentum is not in units of the rate.
///
/// - Parameters:
///   - w: the weights, changed in place.
///   - g: their gradient.
///   - momentum: M, changed in place; 0 at the start.
///   - rate: η.
func sgdStep(
  _ w: borrowing Matrix<Float>, _ g: borrowing Matrix<Float>, momentum: borrowing Matrix<Float>,
  _ settings: SGDSettings, rate: Double
) {
  let (eta, mu) = (Float(rate), Float(settings.momentum))
  let (w, g, m, count) = (w.base, g.base, momentum.base, w.count)
  if settings.nesterov {
    for k in 0..<count {
      m[k] = mu * m[k] + g[k]
      w[k] -= eta * (g[k] + mu * m[k])
    }
  } else {
    for k in 0..<count {
      m[k] = mu * m[k] + g[k]
      w[k] -= eta * m[k]
    }
  }
}
