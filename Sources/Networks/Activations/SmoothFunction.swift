import LinearAlgebra

/// A smooth h, and what the search for its z-update must know of it.
///
/// h rises, or falls left of one turning point and rises right of it, more steeply than it falls.
protocol SmoothFunction: HiddenFunction {
  /// h, h' and h''.
  func expansion(_ z: Lanes) -> Expansion
  /// The largest h''.
  static var largestCurvature: Float { get }
  /// Where h turns, and how far below its limit on the left; −∞ and 0 where it only rises.
  static var turn: (at: Float, depth: Float) { get }
  /// At most 32 points in rising order, of which one lies near the top of h'(z) (a − h(z)) on any side of any m that
  /// is worth a step: as close as h bends. Beyond them h is a straight line, or nearly.
  static var knots: [Float] { get }
}

/// h, h' and h'' at sixteen points.
struct Expansion {
  let h, slope, curvature: Lanes
}

/// What the search looks up: h and h' at the knots.
struct Knots {
  let count: Int
  private(set) var at = InlineArray<32, Float>(repeating: 0)
  private(set) var h = InlineArray<32, Float>(repeating: 0)
  private(set) var slope = InlineArray<32, Float>(repeating: 0)

  init<F: SmoothFunction>(of function: F) {
    let knots = F.knots
    precondition(knots.count <= at.count, "\(knots.count) knots")
    count = knots.count
    for k in 0..<count {
      let expansion = function.expansion(Lanes(repeating: knots[k]))
      at[k] = knots[k]
      h[k] = expansion.h[0]
      slope[k] = expansion.slope[0]
    }
  }
}
