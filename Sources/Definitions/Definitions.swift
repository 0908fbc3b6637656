import Glibc
import Networks

// The definitions of algorithm.md §1 in double precision, one number at a time: what the program's kernels are held
// against.

/// An activation's definition.
package struct PlainActivation {
  package let h: (Double) -> Double
  /// h', at a kink the slope of the flatter side.
  package let slope: (Double) -> Double
  /// Where h has kinks.
  package var kinks: [Double] = []
  /// How many units in the last place h may be off in single precision, as its file states.
  package var ulps = 0.0
}

/// The definition of an activation. One that is in the list and not here ends the tests.
package func plain(_ activation: Activation) -> PlainActivation {
  switch activation {
  case .relu: PlainActivation(h: { max($0, 0) }, slope: { $0 > 0 ? 1 : 0 }, kinks: [0])
  case .leaky_relu:
    PlainActivation(h: { $0 > 0 ? $0 : $0 / 100 }, slope: { $0 > 0 ? 1 : 0.01 }, kinks: [0], ulps: 1)
  case .hard_tanh:
    PlainActivation(h: { max(-1, min(1, $0)) }, slope: { abs($0) < 1 ? 1 : 0 }, kinks: [-1, 1])
  case .hard_sigmoid:
    PlainActivation(
      h: { max(0, min(1, ($0 + 1) / 2)) }, slope: { abs($0) < 1 ? 0.5 : 0 }, kinks: [-1, 1], ulps: 1)
  case .identity: PlainActivation(h: { $0 }, slope: { _ in 1 })
  case .tanh: PlainActivation(h: { tanh($0) }, slope: { 1 / (cosh($0) * cosh($0)) }, ulps: 3)
  case .sigmoid: PlainActivation(h: sigmoid, slope: { sigmoid($0) * sigmoid(-$0) }, ulps: 4)
  case .silu:
    PlainActivation(
      h: { $0 * sigmoid($0) }, slope: { sigmoid($0) * (1 + $0 * sigmoid(-$0)) }, ulps: 6)
  default: preconditionFailure("no definition of \(activation)")
  }
}

/// 1/(1 + e^(−z)).
package func sigmoid(_ z: Double) -> Double { z > -700 ? 1 / (1 + exp(-z)) : exp(z) }

/// h(z).
package func plain(_ activation: Activation, _ z: Double) -> Double { plain(activation).h(z) }

/// Where h has its kinks.
package func kinks(_ activation: Activation) -> [Double] { plain(activation).kinks }

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
