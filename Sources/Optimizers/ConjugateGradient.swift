import LinearAlgebra
import Networks
import Sums

/// d ← −g + β d with β = max(0, gᵀ(g − g') / g'ᵀg'), g' the gradient before: Polak & Ribière's, which restarts
/// itself where β is 0. Nocedal & Wright (2006), section 5.2.
final class ConjugateGradient: SearchDirection {
  /// Conjugate directions need an accurate search: Nocedal & Wright's value.
  let curvature = 0.1

  func set(_ iterate: Iterate, last: LinePoint?) -> Double {
    let square = iterate.g.dot(iterate.g)
    let beta =
      last == nil ? 0 : (square - iterate.g.dot(iterate.formerG)) / iterate.formerG.dot(iterate.formerG)
    if beta > 0 {
      iterate.direction.scale(Float(beta))
      iterate.direction.add(-1, iterate.g)
      let slope = iterate.direction.dot(iterate.g)
      if slope < 0 { return slope }
    }
    iterate.direction.assign(iterate.g)
    iterate.direction.scale(-1)
    return -square
  }

  /// As much descent, to first order, as in the search before, but ten times its step at the most: the slope may have
  /// all but vanished. Chosen, not tuned.
  func firstStep(slope: Double, last: LinePoint?) -> Double? {
    last.map { $0.step * min($0.slope / slope, 10) }
  }

  func add(_ iterate: Iterate) {}
  func restart() {}
  func archive(_ state: any StateArchive) throws {}
}
