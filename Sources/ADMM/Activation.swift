import LinearAlgebra

/// h: the piecewise linear function between a hidden layer's outputs and its activations.
public enum Activation: String, CaseIterable, Sendable, Codable {
  /// max(z, 0)
  case relu
  /// z for z ≥ 0, z / 100 below
  case leaky_relu
  /// z clamped to [−1, 1]
  case hard_tanh
  /// (z + 1) / 2 clamped to [0, 1]
  case hard_sigmoid
  /// z
  case identity

  /// One linear piece of h: h(z) = slope · z + intercept for lower ≤ z ≤ upper.
  struct Piece {
    let lower, upper, slope, intercept: Float

    init(_ lower: Float, _ upper: Float, slope: Float, intercept: Float) {
      self.lower = lower
      self.upper = upper
      self.slope = slope
      self.intercept = intercept
    }
  }

  /// The pieces from left to right; they cover the line and h is continuous.
  var pieces: [Piece] {
    let infinity = Float.infinity
    return switch self {
    case .relu:
      [Piece(-infinity, 0, slope: 0, intercept: 0), Piece(0, infinity, slope: 1, intercept: 0)]
    case .leaky_relu:
      [Piece(-infinity, 0, slope: 0.01, intercept: 0), Piece(0, infinity, slope: 1, intercept: 0)]
    case .hard_tanh:
      [
        Piece(-infinity, -1, slope: 0, intercept: -1), Piece(-1, 1, slope: 1, intercept: 0),
        Piece(1, infinity, slope: 0, intercept: 1),
      ]
    case .hard_sigmoid:
      [
        Piece(-infinity, -1, slope: 0, intercept: 0), Piece(-1, 1, slope: 0.5, intercept: 0.5),
        Piece(1, infinity, slope: 0, intercept: 1),
      ]
    case .identity:
      [Piece(-infinity, infinity, slope: 1, intercept: 0)]
    }
  }

  /// a ← h(z), entry by entry. Local.
  ///
  /// - Parameters:
  ///   - a: d × n, overwritten; may be z itself.
  ///   - z: d × n.
  public func apply(_ a: Tile<Float>, _ z: Tile<Float>) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    switch self {
    case .relu: map(a, z) { max($0, 0) }
    case .leaky_relu: map(a, z) { max($0, 0.01 * $0) }
    case .hard_tanh: map(a, z) { min(max($0, -1), 1) }
    case .hard_sigmoid: map(a, z) { min(max(0.5 * $0 + 0.5, 0), 1) }
    case .identity: map(a, z) { $0 }
    }
  }

  /// z ← argmin over z of γ (a − h(z))² + β (z − m)², entry by entry. Local; exact to rounding.
  ///
  /// On each linear piece of h the minimiser is that of a parabola, clamped to the piece. The piece with the lowest value wins; of
  /// equals, the one that contains m. algorithm.md §3; Taylor et al. (2016), eq. 6.
  ///
  /// - Parameters:
  ///   - z: d × n. Holds m = W_l a_{l−1} on entry, the minimiser on return.
  ///   - a: d × n, the activations a_l.
  ///   - beta: β_l > 0.
  ///   - gamma: γ_l > 0.
  public func minimise(_ z: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    let steps = pieces.map { PieceStep($0, beta: beta, gamma: gamma) }
    switch steps.count {
    case 1:
      let only = steps[0]
      combine(z, a) { m, a in only.best(a, m).z }
    case 2:
      let (left, right) = (steps[0], steps[1])
      combine(z, a) { m, a in right.ifBetter(than: left.best(a, m), a, m).z }
    default:
      let (left, middle, right) = (steps[0], steps[1], steps[2])
      combine(z, a) { m, a in
        right.ifBetter(than: middle.ifBetter(than: left.best(a, m), a, m), a, m).z
      }
    }
  }
}

/// The minimisation of γ (a − h(z))² + β (z − m)² on one linear piece of h.
private struct PieceStep {
  let lower, upper, slope, intercept, beta, gamma, weightOfA, weightOfM: Float

  init(_ piece: Activation.Piece, beta: Float, gamma: Float) {
    let curvature = gamma * piece.slope * piece.slope + beta
    lower = piece.lower
    upper = piece.upper
    slope = piece.slope
    intercept = piece.intercept
    self.beta = beta
    self.gamma = gamma
    weightOfA = gamma * piece.slope / curvature
    weightOfM = beta / curvature
  }

  /// The minimiser on this piece, and its value.
  @inline(__always)
  func best(_ a: Float, _ m: Float) -> (z: Float, value: Float) {
    let z = min(max(weightOfA * (a - intercept) + weightOfM * m, lower), upper)
    let distance = a - (slope * z + intercept)
    return (z, gamma * distance * distance + beta * (z - m) * (z - m))
  }

  /// This piece's minimiser if it beats `left`, the best of all pieces further left.
  @inline(__always)
  func ifBetter(than left: (z: Float, value: Float), _ a: Float, _ m: Float) -> (z: Float, value: Float) {
    let own = best(a, m)
    return own.value < left.value || (own.value == left.value && m >= lower) ? own : left
  }
}

/// out ← f(x), entry by entry.
@inline(__always)
private func map(_ out: Tile<Float>, _ x: Tile<Float>, _ f: (Float) -> Float) {
  for j in 0..<out.columns {
    let (to, from) = (out.column(j), x.column(j))
    for i in 0..<out.rows { to[i] = f(from[i]) }
  }
}

/// z ← f(z, a), entry by entry.
@inline(__always)
private func combine(_ z: Tile<Float>, _ a: Tile<Float>, _ f: (Float, Float) -> Float) {
  for j in 0..<z.columns {
    let (to, from) = (z.column(j), a.column(j))
    for i in 0..<z.rows { to[i] = f(to[i], from[i]) }
  }
}
