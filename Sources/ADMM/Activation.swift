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

  /// h of sixteen numbers, for a loop over many: `body` gets the function, compiled in.
  @inline(__always)
  func withFunction<T>(_ body: ((Lanes) -> Lanes) -> T) -> T {
    let (zero, one, half) = (Lanes.zero, Lanes(repeating: 1), Lanes(repeating: 0.5))
    switch self {
    case .relu: return body { .max($0, zero) }
    case .leaky_relu:
      let slope = Lanes(repeating: 0.01)
      return body { .max($0, slope * $0) }
    case .hard_tanh: return body { .min(.max($0, -one), one) }
    case .hard_sigmoid: return body { .min(.max(half * $0 + half, zero), one) }
    case .identity: return body { $0 }
    }
  }

  /// a ← h(z), entry by entry. Local.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors; may be z itself.
  ///   - z: d × n.
  public func apply(_ a: Tile<Float>, _ z: Tile<Float>) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    checkPadding(a)
    withFunction { h in
      for j in 0..<a.columns {
        let (to, from) = (a.column(j), z.column(j))
        for i in stride(from: 0, to: a.rows, by: laneCount) { h(Lanes(at: from + i)).store(at: to + i) }
      }
    }
  }

  /// z ← argmin over z of γ (a − h(z))² + β (z − m)², entry by entry. Local; exact to rounding.
  ///
  /// On each linear piece of h the minimiser is that of a parabola, clamped to the piece. The piece with the lowest value wins; of
  /// equals, the one that contains m. algorithm.md §3; Taylor et al. (2016), eq. 6.
  ///
  /// - Parameters:
  ///   - z: d × n, padded, overwritten in whole vectors.
  ///   - m: d × n, W_l a_{l−1}; may be z itself.
  ///   - a: d × n, the activations a_l.
  ///   - beta: β_l > 0.
  ///   - gamma: γ_l > 0.
  ///   - residuals: if not nil, the squared norms of z − m, z, a − h(z) and a are added to it.
  public func minimise(
    _ z: Tile<Float>, m: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float,
    residuals: inout LayerResiduals?
  ) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    precondition(m.rows == z.rows && m.columns == z.columns, "m and z differ in shape")
    checkPadding(z)
    let steps = pieces.map { PieceStep($0, beta: beta, gamma: gamma) }
    switch self {
    case .relu:
      let step = ReLUStep(beta: beta, gamma: gamma)
      combine(z, m, a, &residuals) { m, a in step.best(a, m) }
    case .leaky_relu:
      let (left, right) = (steps[0], steps[1])
      combine(z, m, a, &residuals) { m, a in right.ifBetter(than: left.best(a, m), a, m).z }
    case .hard_tanh, .hard_sigmoid:
      let (left, middle, right) = (steps[0], steps[1], steps[2])
      combine(z, m, a, &residuals) { m, a in
        right.ifBetter(than: middle.ifBetter(than: left.best(a, m), a, m), a, m).z
      }
    case .identity:
      let only = steps[0]
      combine(z, m, a, &residuals) { m, a in only.best(a, m).z }
    }
  }

  /// The same without residuals. Local.
  public func minimise(_ z: Tile<Float>, m: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float) {
    var none: LayerResiduals? = nil
    minimise(z, m: m, a: a, beta: beta, gamma: gamma, residuals: &none)
  }

  /// z ← f(m, a), entry by entry, and the residuals if they are wanted.
  @inline(__always)
  private func combine(
    _ z: Tile<Float>, _ m: Tile<Float>, _ a: Tile<Float>, _ residuals: inout LayerResiduals?,
    _ f: (Lanes, Lanes) -> Lanes
  ) {
    guard var sums = residuals else {
      for j in 0..<z.columns {
        let (to, m, a) = (z.column(j), m.column(j), a.column(j))
        for i in stride(from: 0, to: z.rows, by: laneCount) {
          f(Lanes(at: m + i), Lanes(at: a + i)).store(at: to + i)
        }
      }
      return
    }
    withFunction { h in
      for j in 0..<z.columns {
        let (to, m, a) = (z.column(j), m.column(j), a.column(j))
        for i in stride(from: 0, to: z.rows, by: laneCount) {
          let count = min(laneCount, z.rows - i)
          let (m, a) = (Lanes(at: m + i), Lanes(at: a + i))
          let z = f(m, a)
          z.store(at: to + i)
          sums.add(m: m, z: z, a: a, h: h(z), count: count)
        }
        sums.closeColumn()
      }
    }
    residuals = sums
  }
}

/// The squared norms of z − m, z, a − h(z) and a over a layer's entries: single precision within a column, double beyond.
public struct LayerResiduals: Sendable {
  private(set) var outputs = 0.0
  private(set) var outputNorm = 0.0
  private(set) var activations = 0.0
  private(set) var activationNorm = 0.0
  private var column = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)

  /// All norms 0.
  public init() {}

  @inline(__always)
  fileprivate mutating func add(m: Lanes, z: Lanes, a: Lanes, h: Lanes, count: Int) {
    let (z, a) = (z.first(count), a.first(count))
    let (outputs, activations) = (z - m.first(count), a - h.first(count))
    column.0 = .multiplyAdd(outputs, outputs, column.0)
    column.1 = .multiplyAdd(z, z, column.1)
    column.2 = .multiplyAdd(activations, activations, column.2)
    column.3 = .multiplyAdd(a, a, column.3)
  }

  @inline(__always)
  fileprivate mutating func closeColumn() {
    outputs += Double(column.0.total)
    outputNorm += Double(column.1.total)
    activations += Double(column.2.total)
    activationNorm += Double(column.3.total)
    column = (.zero, .zero, .zero, .zero)
  }
}

/// The minimiser of γ (a − max(z, 0))² + β (z − m)² without a comparison of values.
///
/// The parabola of z > 0 has its minimum s = (γa + βm)/(γ+β), of value κ(a − m)² with κ = γβ/(γ+β); the best z ≤ 0 is min(m, 0). For m ≥ 0
/// that is 0, where the parabola is no lower: max(s, 0) wins. For m < 0 it is m, of value γa²: s wins where √κ (a − m) < √γ a, that
/// is where (√γ − √κ) a + √κ m > 0, and then s > 0.
private struct ReLUStep {
  let weightOfA, weightOfM, limitOfA, limitOfM: Lanes

  init(beta: Float, gamma: Float) {
    let (beta, gamma) = (Double(beta), Double(gamma))
    let (rootOfGamma, rootOfKappa) = (gamma.squareRoot(), (gamma * beta / (gamma + beta)).squareRoot())
    weightOfA = Lanes(repeating: Float(gamma / (gamma + beta)))
    weightOfM = Lanes(repeating: Float(beta / (gamma + beta)))
    limitOfA = Lanes(repeating: Float(rootOfGamma - rootOfKappa))
    limitOfM = Lanes(repeating: Float(rootOfKappa))
  }

  @inline(__always)
  func best(_ a: Lanes, _ m: Lanes) -> Lanes {
    let s = Lanes.multiplyAdd(weightOfM, m, weightOfA * a)
    let limit = Lanes.multiplyAdd(limitOfM, m, limitOfA * a)
    return .whereLess(m, .zero, .whereLess(.zero, limit, s, else: m), else: .max(s, .zero))
  }
}

/// The minimisation of γ (a − h(z))² + β (z − m)² on one linear piece of h.
private struct PieceStep {
  let lower, upper, slope, intercept, beta, gamma, weightOfA, weightOfM: Lanes

  init(_ piece: Activation.Piece, beta: Float, gamma: Float) {
    let curvature = gamma * piece.slope * piece.slope + beta
    lower = Lanes(repeating: piece.lower)
    upper = Lanes(repeating: piece.upper)
    slope = Lanes(repeating: piece.slope)
    intercept = Lanes(repeating: piece.intercept)
    self.beta = Lanes(repeating: beta)
    self.gamma = Lanes(repeating: gamma)
    weightOfA = Lanes(repeating: gamma * piece.slope / curvature)
    weightOfM = Lanes(repeating: beta / curvature)
  }

  /// The minimiser on this piece, and its value.
  @inline(__always)
  func best(_ a: Lanes, _ m: Lanes) -> (z: Lanes, value: Lanes) {
    let z = Lanes.min(.max(weightOfA * (a - intercept) + weightOfM * m, lower), upper)
    let distance = a - (slope * z + intercept)
    return (z, gamma * distance * distance + beta * (z - m) * (z - m))
  }

  /// This piece's minimiser if it beats `left`, the best of all pieces further left.
  @inline(__always)
  func ifBetter(than left: (z: Lanes, value: Lanes), _ a: Lanes, _ m: Lanes) -> (z: Lanes, value: Lanes) {
    let own = best(a, m)
    let isBetter = (own.value .< left.value) .| ((own.value .== left.value) .& (m .>= lower))
    return (
      left.z.replacing(with: own.z, where: isBetter), left.value.replacing(with: own.value, where: isBetter)
    )
  }
}
