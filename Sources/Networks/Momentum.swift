import LinearAlgebra

/// A step along −d with momentum, for all weights. Local, the same on every rank.
///
///     M ← μ M + s d,   w ← w − r (μ M + s d) after Nesterov, or w ← w − r M
///
/// Sutskever, Martens, Dahl & Hinton (2013). With s = η and r = 1 the momentum is in units of the step; with s = 1
/// and r = η, as in PyTorch, it is not, which matters where η changes.
///
/// - Parameters:
///   - w: changed in place.
///   - M: the momentum, changed in place; 0 at the start.
///   - d: the direction, such as the gradient.
///   - mu: μ.
///   - scale: s.
///   - rate: r.
///   - looksAhead: whether the step goes by the momentum that the next one will have.
package func momentumStep(
  _ w: inout Matrix<Float>, _ M: inout Matrix<Float>, _ d: borrowing Matrix<Float>, mu: Float,
  scale: Float = 1,
  rate: Float = 1, looksAhead: Bool = true
) {
  precondition(w.count == d.count && M.count == d.count, "\(w.count) weights, \(d.count) of a direction")
  let (w, m, d, count) = (w.mutableBase, M.mutableBase, d.base, d.count)
  if looksAhead {
    for k in 0..<count {
      let step = scale * d[k]
      m[k] = mu * m[k] + step
      w[k] -= rate * (mu * m[k] + step)
    }
  } else {
    for k in 0..<count {
      m[k] = mu * m[k] + scale * d[k]
      w[k] -= rate * m[k]
    }
  }
}
