/// A function of the step along a line, and its slope.
package struct LinePoint: Sendable {
  package var step, value, slope: Double

  package init(step: Double, value: Double, slope: Double) {
    self.step = step
    self.value = value
    self.slope = slope
  }
}

/// A step that satisfies the strong Wolfe conditions. Nocedal & Wright (2006), algorithms 3.5 and 3.6, with cubic
/// interpolation.
///
/// - Parameters:
///   - start: at step 0; its slope is negative.
///   - first: the first step to try.
///   - curvature: c₂: how much of the slope may be left.
///   - evaluations: the most that are made.
///   - evaluate: value and slope at a step. A value that is not finite is a step too long.
/// - Returns: the last evaluated point if it satisfies them; else nil, and the caller is where it was.
package func wolfeSearch(
  from start: LinePoint, first: Double, curvature: Double = 0.9, evaluations: Int = 20,
  _ evaluate: (_ step: Double) throws -> (value: Double, slope: Double)
) rethrows -> LinePoint? {
  typealias Tuning = LineSearchTuning
  var (low, high) = (start, LinePoint?.none)
  var step = first
  for _ in 0..<evaluations {
    let (value, slope) = try evaluate(step)
    let point = LinePoint(step: step, value: value, slope: slope)
    let isTooHigh =
      !value.isFinite || !slope.isFinite || value > start.value + Tuning.sufficient * step * start.slope
      || (low.step > 0 && value >= low.value)
    if isTooHigh {
      high = point
    } else if abs(slope) <= -curvature * start.slope {
      return point
    } else if let far = high {
      if slope * (far.step - low.step) >= 0 { high = low }
      low = point
    } else if slope >= 0 {
      high = low
      low = point
    } else {
      low = point
    }
    if let high {
      step = interpolated(low, high)
      // No room left between the ends.
      if abs(high.step - low.step) < Tuning.narrowest * max(1, low.step) { return nil }
    } else {
      step = min(Tuning.furthest * step, extrapolated(start, low))
    }
  }
  return nil
}

/// The minimiser of the cubic through both points, kept away from the interval's ends; the middle where there is
/// none.
private func interpolated(_ a: LinePoint, _ b: LinePoint) -> Double {
  let (left, right) = (min(a.step, b.step), max(a.step, b.step))
  let margin = LineSearchTuning.margin * (right - left)
  guard b.value.isFinite && b.slope.isFinite else { return (left + right) / 2 }
  let d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
  let square = d1 * d1 - a.slope * b.slope
  guard square >= 0 else { return (left + right) / 2 }
  let d2 = (b.step > a.step ? 1 : -1) * square.squareRoot()
  let best = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
  return best.isFinite ? min(max(best, left + margin), right - margin) : (left + right) / 2
}

/// Twice as far as the last step, or where the slope would be 0 by its change so far.
private func extrapolated(_ start: LinePoint, _ last: LinePoint) -> Double {
  let change = (last.slope - start.slope) / last.step
  let root = change > 0 ? last.step - last.slope / change : LineSearchTuning.furthest * last.step
  return max(2 * last.step, root)
}

/// The numbers that a line search works by. None changes where it ends, only how many passes it takes.
private enum LineSearchTuning {
  /// c₁: the share of the decrease to first order that must be had. Nocedal & Wright's.
  static let sufficient = 1e-4
  /// How many times as far the next step may be. They leave it open; 4 finds the scale of a first direction in a few
  /// passes. Chosen, not tuned.
  static let furthest = 4.0
  /// The part of the interval that is kept free at its ends, so that each step shortens it by a tenth at least.
  /// Chosen, not tuned.
  static let margin = 0.1
  /// The shortest interval, relative to its place: weights in single precision don't tell its ends apart.
  static let narrowest = 1e-12
}
