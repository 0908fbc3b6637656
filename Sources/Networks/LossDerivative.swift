import Glibc
import LinearAlgebra

extension Loss {
  /// δ ← ∂ℓ/∂z at the given outputs, and Σ ℓ(z, y) over the tile. Local; single precision, sixteen entries at a time where e^x is needed.
  ///
  /// At the kink of a hinge the derivative is the one of the side without loss, 0.
  ///
  /// - Parameters:
  ///   - delta: d_L × n; the outputs z on entry, their derivatives on return. Columns of eight rows or more are padded, and overwritten in
  ///     whole vectors.
  ///   - y: d_L × n, the targets.
  /// - Returns: the loss, summed over outputs and samples.
  package func derivative(_ delta: MutableTile<Float>, y: Tile<Float>) -> Double {
    precondition(delta.rows == y.rows && delta.columns == y.columns, "z and y differ in shape")
    if !isJoint && delta.columns > 1 && delta.isOnePiece && y.isOnePiece {
      // Entry by entry, what lies in one piece is one long column.
      return derivative(delta.asColumn, y: y.asColumn)
    }
    var sum = 0.0
    for j in 0..<delta.columns {
      let (z, y) = (delta.column(j), y.column(j))
      switch self {
      case .softmax: sum += softmaxDerivative(z, y, delta.rows)
      case .multiclass_hinge: sum += multiclassHingeDerivative(z, y, delta.rows)
      case .logistic: sum += logisticDerivative(z, y, delta.rows)
      default:
        for i in 0..<delta.rows {
          let (value, slope) = entry(z[i], y[i])
          z[i] = slope
          sum += Double(value)
        }
      }
    }
    return sum
  }

  /// ℓ'' at its largest: what bounds the step along an output.
  package var largestCurvature: Double {
    switch self {
    case .logistic: 0.25
    case .softmax: 0.5
    case .hinge, .multiclass_hinge: 1
    case .square, .squared_hinge, .huber: 2
    }
  }

  /// ℓ of a sample for z = 0: what a network has that knows nothing. Of regression, for targets of unit variance.
  package func atZero(outputs: Int) -> Double {
    switch self {
    case .softmax: log(Double(outputs))
    case .logistic: log(2) * Double(outputs)
    case .multiclass_hinge: 1
    case .hinge, .squared_hinge, .square, .huber: Double(outputs)
    }
  }

  /// ℓ and ℓ' of one entry, for the losses without an exponential.
  @inline(__always)
  private func entry(_ z: Float, _ y: Float) -> (value: Float, slope: Float) {
    switch self {
    case .hinge:
      let margin = 1 - y * z
      return margin > 0 ? (margin, -y) : (0, 0)
    case .squared_hinge:
      let margin = max(1 - y * z, 0)
      return (margin * margin, -2 * y * margin)
    case .square: return ((z - y) * (z - y), 2 * (z - y))
    case .huber:
      let distance = z - y
      return abs(distance) <= 1
        ? (distance * distance, 2 * distance) : (2 * abs(distance) - 1, distance > 0 ? 2 : -2)
    case .logistic, .softmax, .multiclass_hinge: fatalError("\(self) is not done entry by entry")
    }
  }
}

/// log(1 + e^(−y z)), y = ±1: with t = −y z and u = e^(−|t|) it is max(t, 0) + log(1 + u), and its derivative −y σ(t).
private func logisticDerivative(_ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int)
  -> Double
{
  var sum = 0.0
  let one = Lanes(repeating: 1)
  /// Sixteen entries, or fewer at the end: those that count are stored by `store`.
  @inline(__always)
  func lanes(_ i: Int, _ count: Int) -> Lanes {
    let (z, y) = (Lanes(at: z + i), Lanes(at: y + i))
    let t = Lanes.zero - y * z
    let u = Lanes.expOfNegative(.min(t, Lanes.zero - t))
    let losses = Lanes.max(t, .zero) + .logOfOnePlus(u)
    sum += Double(losses.first(count).total)
    return Lanes.zero - y * (Lanes.whereLess(t, .zero, u, else: one) / (one + u))
  }
  let whole = rows & ~(laneCount - 1)
  for i in stride(from: 0, to: whole, by: laneCount) { lanes(i, laneCount).store(at: z + i) }
  if whole < rows {
    let last = lanes(whole, rows - whole)
    for i in whole..<rows { z[i] = last[i - whole] }
  }
  return sum
}

/// log Σ e^(z_j) − z_c, and softmax(z) − y.
private func softmaxDerivative(_ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int)
  -> Double
{
  var largest = z[0]
  for i in 1..<max(rows, 1) { largest = max(largest, z[i]) }
  var own: Float = 0
  for i in 0..<rows { own += y[i] * (z[i] - largest) }
  let shift = Lanes(repeating: largest)
  var total = Lanes.zero
  let whole = rows & ~(laneCount - 1)
  for i in stride(from: 0, to: whole, by: laneCount) {
    let p = Lanes.expOfNegative(Lanes(at: z + i) - shift)
    p.store(at: z + i)
    total += p
  }
  if whole < rows {
    let p = Lanes.expOfNegative(Lanes(at: z + whole) - shift)
    total += p.first(rows - whole)
    for i in whole..<rows { z[i] = p[i - whole] }
  }
  let sum = total.total
  for i in 0..<rows { z[i] = z[i] / sum - y[i] }
  return log(Double(sum)) - Double(own)
}

/// max(0, 1 + max_{j ≠ c} z_j − z_c): +1 at the worst j and −1 at c, where it is positive.
private func multiclassHingeDerivative(
  _ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int
) -> Double {
  let c = (0..<rows).first { y[$0] > 0.5 } ?? 0
  var worst: Int? = nil
  for j in 0..<rows where j != c { if worst.map({ z[j] > z[$0] }) ?? true { worst = j } }
  let value = worst.map { 1 + z[$0] - z[c] } ?? 0
  for j in 0..<rows { z[j] = 0 }
  guard let worst, value > 0 else { return 0 }
  z[worst] = 1
  z[c] = -1
  return Double(value)
}
