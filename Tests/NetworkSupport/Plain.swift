import Definitions
import Glibc
import LinearAlgebra
import MPI
import Networks

// What follows from the definitions of algorithm.md §1, one number at a time: what the program's kernels are held
// against.

/// ∂ℓ/∂z of one sample, away from kinks.
package func plainSlope(_ loss: Loss, _ z: [Double], _ y: [Double]) -> [Double] {
  switch loss {
  case .hinge: zip(z, y).map { $0 * $1 < 1 ? -$1 : 0 }
  case .squared_hinge: zip(z, y).map { -2 * $1 * max(0, 1 - $0 * $1) }
  case .square: zip(z, y).map { 2 * ($0 - $1) }
  case .huber: zip(z, y).map { 2 * max(-1, min(1, $0 - $1)) }
  case .logistic: zip(z, y).map { -$1 * sigmoid(-$0 * $1) }
  case .softmax:
    z.indices.map { i in 1 / z.reduce(0) { $0 + exp($1 - z[i]) } - y[i] }
  case .multiclass_hinge:
    if plain(loss, z, y) > 0 {
      z.indices.map { i in
        let isWorst = y[i] < 0.5 && zip(z, y).allSatisfy { $1 > 0.5 || $0 <= z[i] }
        return (isWorst ? 1 : 0) - y[i]
      }
    } else {
      z.map { _ in 0 }
    }
  default: preconditionFailure("no definition of \(loss)")
  }
}

/// Whether ℓ has a derivative everywhere.
package func isSmooth(_ loss: Loss) -> Bool {
  switch loss {
  case .squared_hinge, .square, .huber, .logistic, .softmax: true
  case .hinge, .multiclass_hinge: false
  default: preconditionFailure("no definition of \(loss)")
  }
}

/// p_0 … p_{K−1} of one sample: of two classes where there is one output.
package func plainProbabilities(_ loss: Loss, _ z: [Double]) -> [Double] {
  if z.count == 1 { return [sigmoid(-z[0]), sigmoid(z[0])] }
  let weights: [Double]
  switch loss {
  case .logistic: weights = z.map(sigmoid)
  case .softmax: weights = z.map(exp)
  default: preconditionFailure("no probabilities of \(loss)")
  }
  return weights.map { $0 / weights.reduce(0, +) }
}

/// How far the outputs of a sample are from the nearest kink of ℓ.
package func distanceFromKinks(_ loss: Loss, _ z: [Double], _ y: [Double]) -> Double {
  func least(_ distance: (Double, Double) -> Double) -> Double {
    zip(z, y).reduce(.infinity) { min($0, abs(distance($1.0, $1.1))) }
  }
  switch loss {
  case .hinge, .squared_hinge: return least { 1 - $0 * $1 }
  case .huber: return least { abs($0 - $1) - 1 }
  case .multiclass_hinge:
    let own = zip(z, y).reduce(0) { $0 + $1.0 * $1.1 }
    let others = zip(z, y).filter { $0.1 < 0.5 }.map(\.0).sorted(by: >)
    let second = others.count > 1 ? others[0] - others[1] : .infinity
    return min(abs(1 + others[0] - own), second)
  case .square, .logistic, .softmax: return .infinity
  default: preconditionFailure("no definition of \(loss)")
  }
}

/// The X of least ‖X A − B‖² + ridge ‖X‖², by a QR factorisation of the columns of [A √ridge I]ᵀ (modified
/// Gram-Schmidt, twice).
///
/// It never forms A Aᵀ, so that its error grows with the condition of A and not with the square of it.
package func leastSquares(_ A: [[Double]], _ B: [[Double]], ridge: Double = 0) -> [[Double]] {
  let d = A.count
  var Q = A.indices.map { i in A[i] + A.indices.map { $0 == i ? ridge.squareRoot() : 0 } }
  var R = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
  for j in 0..<d {
    for _ in 0..<2 {
      for i in 0..<j {
        let part = zip(Q[i], Q[j]).reduce(0) { $0 + $1.0 * $1.1 }
        R[i][j] += part
        for n in Q[j].indices { Q[j][n] -= part * Q[i][n] }
      }
    }
    R[j][j] = Q[j].reduce(0) { $0 + $1 * $1 }.squareRoot()
    for n in Q[j].indices { Q[j][n] /= R[j][j] }
  }
  return B.map { row in
    var x = Q.map { q in zip(q, row).reduce(0) { $0 + $1.0 * $1.1 } }
    for j in (0..<d).reversed() {
      for k in stride(from: j + 1, to: d, by: 1) { x[j] -= R[j][k] * x[k] }
      x[j] /= R[j][j]
    }
    return x
  }
}
