import LinearAlgebra
import Networks
import Sums

/// d ← −H g with the quasi-Newton matrix H of the last pairs, from the identity. Nocedal & Wright (2006), section
/// 7.2.
final class LBFGS: SearchDirection {
  let curvature = 0.9
  private var memory: QuasiNewton

  init(_ network: Network, pairs: Int) { memory = QuasiNewton(count: network.flatCount, capacity: pairs) }

  func set(_ iterate: Iterate, last: LinePoint?) -> Double {
    memory.direction(&iterate.direction, iterate.g) { $0.assign($1) }
    return iterate.direction.dot(iterate.g)
  }

  func firstStep(slope: Double, last: LinePoint?) -> Double? { memory.isEmpty ? nil : 1 }

  func add(_ iterate: Iterate) { memory.add(iterate) }
  func restart() { memory.clear() }
  func archive(_ state: any StateArchive) throws { try memory.archive(state) }
}
