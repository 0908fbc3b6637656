import Glibc
import LinearAlgebra
import MPI
import Networks

// The definitions of algorithm.md §1 in double precision, one number at a time: what the program's kernels are held
// against.

/// h(z).
package func plain(_ activation: Activation, _ z: Double) -> Double {
  switch activation {
  case .relu: z > 0 ? z : 0
  case .leaky_relu: z > 0 ? z : z / 100
  case .hard_tanh: z < -1 ? -1 : z > 1 ? 1 : z
  case .hard_sigmoid: z < -1 ? 0 : z > 1 ? 1 : (z + 1) / 2
  case .identity: z
  case .tanh: Glibc.tanh(z)
  case .sigmoid: 1 / (1 + exp(-z))
  case .silu: z / (1 + exp(-z))
  default: preconditionFailure("no definition of \(activation)")
  }
}

/// Where h has its kinks.
package func kinks(_ activation: Activation) -> [Double] {
  switch activation {
  case .relu, .leaky_relu: [0]
  case .hard_tanh, .hard_sigmoid: [-1, 1]
  case .identity, .tanh, .sigmoid, .silu: []
  default: preconditionFailure("no definition of \(activation)")
  }
}

/// ℓ of one sample.
package func plain(_ loss: Loss, _ z: [Double], _ y: [Double]) -> Double {
  func sum(_ term: (Double, Double) -> Double) -> Double { zip(z, y).reduce(0) { $0 + term($1.0, $1.1) } }
  let own = sum { $0 * $1 }
  switch loss {
  case .hinge: return sum { max(0, 1 - $0 * $1) }
  case .squared_hinge: return sum { pow(max(0, 1 - $0 * $1), 2) }
  case .square: return sum { pow($0 - $1, 2) }
  case .huber: return sum { abs($0 - $1) < 1 ? pow($0 - $1, 2) : 2 * abs($0 - $1) - 1 }
  case .logistic: return sum { $0 * $1 > -500 ? log(1 + exp(-$0 * $1)) : -$0 * $1 }
  case .softmax:
    let largest = z.max() ?? 0
    return log(z.reduce(0) { $0 + exp($1 - largest) }) + largest - own
  case .multiclass_hinge:
    return max(0, zip(z, y).map { $1 > 0.5 ? 0 : 1 + $0 - own }.max() ?? 0)
  default: preconditionFailure("no definition of \(loss)")
  }
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
