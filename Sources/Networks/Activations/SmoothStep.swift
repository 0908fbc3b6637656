import LinearAlgebra

/// The minimiser of γ (a − h(z))² + β (z − m)² for a smooth h, to rounding.
///
/// With κ = γ/β a minimum is a zero of g(z) = z − m − κ h'(z) (a − h(z)) where g rises. The pull κ h' (a − h) points
/// from m towards a; going that way it first grows, then falls to nothing, with at most one point before its top
/// where it turns from bending up to bending down. So there are at most two minima on the way: a near one, on the
/// stretch where the pull bends up, and a far one beyond it. Newton's method finds the near one from m without
/// passing it, and the far one from the top of the pull: outwards inside a bracket if the pull is stronger than the
/// distance there, else back without passing it. Where κ (a − h) h'' < 1 everywhere there is one minimum, and one
/// search. The best of both and of m wins.
///
/// Each entry takes its own steps: what its neighbours in a vector need is computed for it and thrown away.
struct SmoothStep<F: SmoothFunction>: EntryStep {
  private let function: F
  /// κ and √κ.
  private let ratio, root: Lanes
  private let knots: Knots

  init(_ function: F, beta: Float, gamma: Float) {
    self.function = function
    ratio = Lanes(repeating: gamma / beta)
    root = Lanes(repeating: (gamma / beta).squareRoot())
    knots = F.knots
  }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes { function.h(z) }

  /// Not inlined: products show their results sixteen at a time in dozens of places.
  @inline(never)
  func best(_ a: Lanes, _ m: Lanes) -> Lanes {
    let (zero, one) = (Lanes.zero, Lanes(repeating: 1))
    let start = function.expansion(m)
    let entries = Entries<F>(a, m, start, ratio: ratio, root: root)
    var near = entries.near(start)
    guard entries.mayHaveTwo.hasPositive else {
      for _ in 0..<Self.steps {
        advance(&near, a, m)
        guard near.isOpen.hasPositive else { break }
        near.here = function.expansion(near.z)
      }
      return near.z
    }
    let top = entries.top(knots)
    var far = entries.far(from: top, function.expansion(top.at))
    let isSearched = far.isOpen
    // Both together: the processor works at one while it waits for the other.
    for _ in 0..<Self.steps where (near.isOpen + far.isOpen).hasPositive {
      advance(&near, a, m)
      advance(&far, a, m)
      near.here = function.expansion(near.z)
      far.here = function.expansion(far.z)
    }
    let (nearValue, farValue) = (value(near, a, m), value(far, a, m))
    let isFar = isSearched * Lanes.whereLess(farValue, nearValue, one, else: zero)
    let z = Lanes.whereLess(zero, isFar, far.z, else: near.z)
    let value = Lanes.whereLess(zero, isFar, farValue, else: nearValue)
    // m wins where its value is lower by more than the rounding of h.
    let residual = (a - start.h).magnitude
    let rounding = Lanes.multiplyAdd(Lanes(repeating: 1e-5), residual, 1e-6 * start.h.magnitude)
    let isWorse = Lanes.whereLess(ratio * residual * (residual + rounding), value, one, else: zero)
    return .whereLess(zero, entries.mayHaveTwo * isWorse, m, else: z)
  }

  /// The most steps of a search: one halves its bracket, or its error, or ends.
  private static var steps: Int { 24 }

  /// f / β where a search has come to.
  @inline(__always)
  private func value(_ search: Search, _ a: Lanes, _ m: Lanes) -> Lanes {
    let (r, d) = (a - search.here.h, search.z - m)
    return .multiplyAdd(ratio * r, r, d * d)
  }

  /// A step of Newton's method on g; the last is shorter than 1e-4, and its error the square of that.
  ///
  /// A step is at most 1 + |z|/2 long, and where f bends up little as if it bent up more. A step out of the bracket,
  /// or back by more than a quarter of the step before, halves the bracket instead.
  @inline(__always)
  private func advance(_ search: inout Search, _ a: Lanes, _ m: Lanes) {
    let (zero, one) = (Lanes.zero, Lanes(repeating: 1))
    let (z, r) = (search.z, a - search.here.h)
    let pull = ratio * search.here.slope
    let g = Lanes.multiplyAdd(zero - pull, r, z - m)
    // Half of f'' / β without the bend of h, and with it; the least that a step reckons with.
    let straight = Lanes.multiplyAdd(pull, search.here.slope, one)
    let full = Lanes.multiplyAdd(zero - ratio * search.here.curvature, r, straight)
    let least =
      straight * Lanes.whereLess(zero, search.mayFail, Lanes(repeating: 1e-3), else: Lanes(repeating: 0.25))
    search.low = .whereLess(g, zero, z, else: search.low)
    search.high = .whereLess(g, zero, search.high, else: z)
    let longest = Lanes.multiplyAdd(Lanes(repeating: 0.5), z.magnitude, one)
    let newton = Lanes.max(.min(g / .max(full, least), longest), zero - longest)
    let isInside = Lanes.whereLess(
      search.low, z - newton, .whereLess(z - newton, search.high, one, else: zero), else: zero)
    let turnsBack = Lanes.multiplyAdd(search.last, 0.25 * search.last, zero - newton * search.last)
    let small = Lanes.multiplyAdd(Lanes(repeating: 1e-6), z.magnitude, Lanes(repeating: 1e-4))
    let isSmall = Lanes.whereLess(small, newton.magnitude, zero, else: one)
    let isUsed = Lanes.max(isSmall, .whereLess(turnsBack, zero, zero, else: isInside))
    let next = Lanes.whereLess(zero, isUsed, z - newton, else: 0.5 * (search.low + search.high))
    let isNarrow = Lanes.whereLess(0.01 * small, search.high - search.low, zero, else: one)
    let fails = search.mayFail * Lanes.whereLess(full, least, one, else: one - isUsed)
    let moves = search.isOpen * (one - fails)
    search.z = .whereLess(zero, moves, next, else: z)
    search.last = next - z
    search.isOpen = moves * (one - Lanes.max(isSmall, isNarrow))
  }
}
