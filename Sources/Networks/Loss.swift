import Glibc
import LinearAlgebra

/// ℓ(z, y): what the last layer's outputs cost. Summed over outputs and samples.
public enum Loss: String, CaseIterable, Sendable, Codable {
  /// max(1 − y z, 0), y = ±1; one output a class makes it one-vs-rest
  case hinge
  /// max(1 − y z, 0)², y = ±1
  case squared_hinge
  /// (z − y)²
  case square
  /// (z − y)² for |z − y| ≤ 1, 2 |z − y| − 1 beyond
  case huber
  /// log(1 + e^(−y z)), y = ±1; one output a class makes it one-vs-rest
  case logistic
  /// log Σ_j e^(z_j) − z_c, the cross-entropy of the softmax; y is 1 at the class c and 0 elsewhere
  case softmax
  /// max(0, 1 + max_{j ≠ c} z_j − z_c), the multi-class hinge of Crammer & Singer; y is 1 at the class c and 0 elsewhere
  case multiclass_hinge

  /// Whether the loss couples the outputs of a sample, so that it needs one output a class.
  public var isJoint: Bool { self == .softmax || self == .multiclass_hinge }

  /// Whether the outputs can be turned into probabilities.
  public var hasProbabilities: Bool { self == .logistic || self == .softmax }

  /// Whether the targets can be any real number.
  public var isForRegression: Bool { self == .square || self == .huber }

  /// The target of an output that stands for the sample's class, and of one that does not.
  public var classTargets: (own: Float, other: Float) { isJoint ? (1, 0) : (1, -1) }

  /// Σ ℓ(z, y) over a tile. Local, in double precision.
  ///
  /// - Parameters:
  ///   - z: d_L × n, the outputs.
  ///   - y: d_L × n, the targets.
  public func value(_ z: Tile<Float>, y: Tile<Float>) -> Double {
    precondition(z.rows == y.rows && z.columns == y.columns, "z and y differ in shape")
    var sum = 0.0
    for j in 0..<z.columns {
      let (z, y, rows) = (z.column(j), y.column(j), z.rows)
      switch self {
      case .softmax: sum += SoftmaxStep.value(z, y, rows)
      case .multiclass_hinge: sum += MulticlassHingeStep.value(z, y, rows)
      default: for i in 0..<rows { sum += entryValue(Double(z[i]), Double(y[i])) }
      }
    }
    return sum
  }

  /// ℓ of one entry, for the losses that are sums over entries.
  private func entryValue(_ z: Double, _ y: Double) -> Double {
    switch self {
    case .hinge: return max(1 - y * z, 0)
    case .squared_hinge: return max(1 - y * z, 0) * max(1 - y * z, 0)
    case .square: return (z - y) * (z - y)
    case .huber: return abs(z - y) <= 1 ? (z - y) * (z - y) : 2 * abs(z - y) - 1
    case .logistic: return max(-y * z, 0) + log1p(exp(-abs(y * z)))
    case .softmax, .multiclass_hinge: preconditionFailure("\(self) is not a sum over entries")
    }
  }

  /// z ← argmin over z of ℓ(z, y) + ⟨z, λ⟩ + β ‖z − m‖², the update of the last layer's outputs. Local.
  ///
  /// Exact to rounding for the piecewise losses; logistic and softmax by Newton's method to 1e-6 of the outputs' scale.
  /// algorithm.md §3; Taylor et al. (2016), eq. 7.
  ///
  /// - Parameters:
  ///   - z: d_L × n, overwritten.
  ///   - m: d_L × n, W_L a_{L−1}.
  ///   - y: d_L × n, the targets.
  ///   - lambda: d_L × n, the multiplier.
  ///   - beta: β_L > 0.
  ///   - scratch: at least 4 d_L numbers to work with.
  public func minimise(
    _ z: MutableTile<Float>, m: Tile<Float>, y: Tile<Float>, lambda: Tile<Float>, beta: Float,
    scratch: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(m.rows == z.rows && m.columns == z.columns, "z and m differ in shape")
    precondition(y.rows == z.rows && y.columns == z.columns, "z and y differ in shape")
    precondition(lambda.rows == z.rows && lambda.columns == z.columns, "z and lambda differ in shape")
    if !isJoint && z.columns > 1 && z.isOnePiece && m.isOnePiece && y.isOnePiece && lambda.isOnePiece {
      // Entry by entry, what lies in one piece is one long column.
      return minimise(
        z.asColumn, m: m.asColumn, y: y.asColumn, lambda: lambda.asColumn, beta: beta, scratch: scratch)
    }
    for j in 0..<z.columns {
      let (z, m, y, lambda, rows) = (z.column(j), m.column(j), y.column(j), lambda.column(j), z.rows)
      switch self {
      case .hinge:
        for i in 0..<rows { z[i] = hingeStep(m[i], y[i], lambda[i], beta) }
      case .squared_hinge:
        for i in 0..<rows { z[i] = squaredHingeStep(m[i], y[i], lambda[i], beta) }
      case .square:
        for i in 0..<rows { z[i] = (2 * y[i] - lambda[i] + 2 * beta * m[i]) / (2 + 2 * beta) }
      case .huber:
        for i in 0..<rows { z[i] = huberStep(m[i], y[i], lambda[i], beta) }
      case .logistic:
        for i in 0..<rows {
          z[i] = Float(logisticStep(Double(m[i]), Double(y[i]), Double(lambda[i]), Double(beta)))
        }
      case .softmax:
        SoftmaxStep.minimise(z, m, y, lambda, Double(beta), rows, scratch)
      case .multiclass_hinge:
        MulticlassHingeStep.minimise(z, m, y, lambda, Double(beta), rows, scratch)
      }
    }
  }
}

/// argmin of max(1 − y z, 0) + λ z + β (z − m)²: beyond the kink, before it, or at it.
private func hingeStep(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
  let beyond = m - lambda / (2 * beta)
  let before = m + (y - lambda) / (2 * beta)
  return y * beyond >= 1 ? beyond : y * before <= 1 ? before : y
}

/// argmin of max(1 − y z, 0)² + λ z + β (z − m)².
private func squaredHingeStep(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
  let beyond = m - lambda / (2 * beta)
  return y * beyond >= 1 ? beyond : (2 * y - lambda + 2 * beta * m) / (2 + 2 * beta)
}

/// argmin of the Huber loss + λ z + β (z − m)²: the parabola's if within 1 of y, else that of the line on the same side.
private func huberStep(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
  let inner = (2 * y - lambda + 2 * beta * m) / (2 + 2 * beta)
  if abs(inner - y) <= 1 { return inner }
  return m - (lambda + (inner > y ? 2 : -2)) / (2 * beta)
}

/// argmin of log(1 + e^(−y z)) + λ z + β (z − m)² by Newton's method inside a bracket.
///
/// The derivative rises and lies between λ + 2β(z − m) − 1 and the same + 1, which brackets its root.
private func logisticStep(_ m: Double, _ y: Double, _ lambda: Double, _ beta: Double) -> Double {
  let center = m - lambda / (2 * beta)
  var low = center - (y > 0 ? 0 : 1) / (2 * beta)
  var high = center + (y > 0 ? 1 : 0) / (2 * beta)
  var z = (low + high) / 2
  for _ in 0..<60 {
    let p = 1 / (1 + exp(y * z))
    let slope = -y * p + lambda + 2 * beta * (z - m)
    if slope > 0 { high = z } else { low = z }
    let newton = z - slope / (p * (1 - p) + 2 * beta)
    let next = newton > low && newton < high ? newton : (low + high) / 2
    let moved = abs(next - z)
    z = next
    if moved <= 1e-9 * max(1, abs(z)) { break }
  }
  return z
}
