import LinearAlgebra

/// A search for a zero of g, sixteen at a time. Flags are 1 or 0.
struct Search {
  /// Where the search is.
  var z: Lanes
  /// h there.
  var here: Expansion
  /// The last step.
  var last = Lanes.zero
  /// The bracket: g is negative at its lower end, and positive at its upper.
  var low = Lanes.zero
  var high = Lanes.zero
  /// Whether the search may end with nothing: where f bends down, or where a step leaves the bracket.
  var mayFail = Lanes.zero
  /// Whether it goes on.
  var isOpen = Lanes.zero

  @inline(__always)
  init(at z: Lanes, _ here: Expansion) {
    self.z = z
    self.here = here
  }
}

/// Where the minima of sixteen entries can be, and where the searches for them begin. Flags are 1 or 0.
struct Entries<F: SmoothFunction> {
  private let a, m, ratio: Lanes
  /// a − h(m); and h'(m) times it, the pull at m without κ.
  private let residual, pull: Lanes
  /// Whether there may be two minima.
  let mayHaveTwo: Lanes
  /// Whether the pull at m goes down.
  private let pullsDown: Lanes
  /// On which side of m the far minimum is: 1 or −1.
  private let side: Lanes
  /// Between these both minima lie: a step that brings h nearer to a on m's own side of the turning point does not
  /// pass it, since the same h costs more beyond.
  private let least, most: Lanes
  /// No minimum lies further from m: there (z − m)² alone is more than all that m costs.
  private let reach: Lanes

  @inline(__always)
  init(_ a: Lanes, _ m: Lanes, _ start: Expansion, ratio: Lanes, root: Lanes) {
    let (zero, one, infinity) = (Lanes.zero, Lanes(repeating: 1), Lanes(repeating: .infinity))
    let turn = Lanes(repeating: F.turn.at)
    self.a = a
    self.m = m
    self.ratio = ratio
    residual = a - start.h
    pull = start.slope * residual
    reach = root * residual.magnitude
    let bend = ratio * F.largestCurvature * (residual.magnitude + Lanes(repeating: F.turn.depth))
    mayHaveTwo = .whereLess(one, bend, one, else: zero)
    pullsDown = .whereLess(pull, zero, one, else: zero)
    let isLeft = Lanes.whereLess(m, turn, one, else: zero)
    least = .whereLess(isLeft, pullsDown, turn, else: zero - infinity)
    most = .whereLess(pullsDown, isLeft, turn, else: infinity)
    // Left of the turning point a larger h is found nearer on the right.
    let sideOfResidual = Lanes.whereLess(residual, zero, zero - one, else: one)
    side = .whereLess(zero, isLeft, one, else: sideOfResidual)
  }

  /// From m, where the pull goes. It may come to nothing where the far search would find the only minimum.
  @inline(__always)
  func near(_ start: Expansion) -> Search {
    let (zero, one) = (Lanes.zero, Lanes(repeating: 1))
    var search = Search(at: m, start)
    search.low = .whereLess(zero, pullsDown, .max(m - reach, least), else: m)
    search.high = .whereLess(zero, pullsDown, m, else: .min(m + reach, most))
    search.isOpen = .whereLess(zero, pull.magnitude, one, else: zero)
    search.mayFail = mayHaveTwo * Lanes.whereLess(zero, pull * side, one, else: zero)
    return search
  }

  /// Where on the far side, at m or at a knot, the pull that way is largest, and the pull without κ; 0 where there
  /// is none.
  @inline(__always)
  func top(_ knots: Knots) -> (at: Lanes, pull: Lanes) {
    let (zero, start, goal) = (Lanes.zero, side * m, side * a)
    var at = m
    var largest = Lanes.max(side * pull, zero)
    for k in 0..<knots.count {
      let knot = Lanes(repeating: knots.at[k])
      let own = Lanes.multiplyAdd(zero - side, Lanes(repeating: knots.h[k]), goal) * knots.slope[k]
      var candidate = Lanes.whereLess(start, side * knot, own, else: zero)
      if F.turn.at > -.infinity {
        candidate = Lanes.whereLess(least, knot, .whereLess(knot, most, candidate, else: zero), else: zero)
      }
      at = .whereLess(largest, candidate, knot, else: at)
      largest = .max(candidate, largest)
    }
    return (at, largest)
  }

  /// From the top of the pull: outwards where the pull there is stronger than the distance from m, for then the
  /// minimum is further out, and not further than twice the pull; else back, where it may come to nothing.
  @inline(__always)
  func far(from top: (at: Lanes, pull: Lanes), _ there: Expansion) -> Search {
    let (zero, one) = (Lanes.zero, Lanes(repeating: 1))
    let excess = side * (ratio * there.slope * (a - there.h) - (top.at - m))
    let bound = Lanes.max(.min(.multiplyAdd(2 * ratio * side, top.pull, m), most), least)
    let end = Lanes.whereLess(zero, excess, bound, else: m)
    var search = Search(at: top.at, there)
    search.low = .min(top.at, end)
    search.high = .max(top.at, end)
    search.isOpen = mayHaveTwo * Lanes.whereLess(zero, top.pull, one, else: zero)
    search.mayFail = .whereLess(zero, excess, zero, else: one)
    return search
  }
}
