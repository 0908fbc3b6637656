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
  /// Points of which one lies near the top of h'(z) (a − h(z)) on any side of any m that is worth a step: as close
  /// as h bends. Beyond them h is a straight line, or nearly. Made once, since every tile looks them up.
  static var knots: Knots { get }
}

/// h, h' and h'' at sixteen points.
struct Expansion {
  let h, slope, curvature: Lanes
}

/// What the search looks up: h and h' at the knots.
struct Knots: Sendable {
  let count: Int
  private(set) var at = InlineArray<32, Float>(repeating: 0)
  private(set) var h = InlineArray<32, Float>(repeating: 0)
  private(set) var slope = InlineArray<32, Float>(repeating: 0)

  /// - Parameter points: at most 32, in rising order.
  init<F: SmoothFunction>(of function: F, at points: [Float]) {
    precondition(points.count <= at.count, "\(points.count) knots")
    count = points.count
    for k in 0..<count {
      let expansion = function.expansion(Lanes(repeating: points[k]))
      at[k] = points[k]
      h[k] = expansion.h[0]
      slope[k] = expansion.slope[0]
    }
  }
}
