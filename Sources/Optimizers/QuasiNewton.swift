import LinearAlgebra
import Networks

/// The limited memory of a quasi-Newton method: its last steps and the gradient's changes along them.
///
/// Nocedal & Wright, "Numerical Optimization" (2006), algorithm 7.4, with any positive definite matrix H₀ in place of the identity,
/// scaled by sᵀy / yᵀH₀y of the last pair. The same bits on every rank.
package struct QuasiNewton: ~Copyable {
  /// A pair of s = w⁺ − w and y = g⁺ − g.
  private final class Pair {
    let s, y: Matrix<Float>
    var product = 0.0

    init(count: Int) {
      s = Matrix(rows: count, columns: 1)
      y = Matrix(rows: count, columns: 1)
    }
  }

  private let capacity: Int
  private let work: Matrix<Float>
  /// The oldest first.
  private var pairs: [Pair] = []
  private var spare: [Pair] = []

  /// - Parameters:
  ///   - count: how many numbers the weights are.
  ///   - capacity: how many pairs are remembered.
  package init(count: Int, capacity: Int) {
    self.capacity = capacity
    work = Matrix(rows: count, columns: 1)
  }

  /// Whether it knows anything.
  package var isEmpty: Bool { pairs.isEmpty }

  /// Forgets everything. Local.
  package mutating func clear() {
    spare += pairs
    pairs.removeAll(keepingCapacity: true)
  }

  /// Remembers the last step of an iterate. Local.
  package mutating func add(_ iterate: Iterate) {
    add(iterate.w, minus: iterate.formerW, iterate.g, minus: iterate.formerG)
  }

  /// Remembers the step from (w, g) to (newW, newG), if the curvature along it is positive beyond rounding. Local.
  package mutating func add(
    _ newW: borrowing Matrix<Float>, minus w: borrowing Matrix<Float>, _ newG: borrowing Matrix<Float>,
    minus g: borrowing Matrix<Float>
  ) {
    // One more than the capacity: what is not remembered displaces nothing.
    let pair = spare.popLast() ?? Pair(count: w.count)
    pair.s.assign(newW, minus: w)
    pair.y.assign(newG, minus: g)
    pair.product = pair.s.dot(pair.y)
    if pair.product > 1e-10 * pair.y.dot(pair.y) { pairs.append(pair) } else { spare.append(pair) }
    if pairs.count > capacity { spare.append(pairs.removeFirst()) }
  }

  /// d ← −H g. Local; 4 numbers read for each pair and weight.
  ///
  /// - Parameters:
  ///   - d: overwritten.
  ///   - g: the gradient.
  ///   - multiply: H₀: overwrites its first argument by H₀ times the second.
  package func direction(
    _ d: borrowing Matrix<Float>, _ g: borrowing Matrix<Float>,
    metric multiply: (_ result: borrowing Matrix<Float>, _ x: borrowing Matrix<Float>) -> Void
  ) {
    var alpha = [Double](repeating: 0, count: pairs.count)
    work.assign(g)
    for (i, pair) in pairs.enumerated().reversed() {
      alpha[i] = pair.s.dot(work) / pair.product
      work.add(Float(-alpha[i]), pair.y)
    }
    if let last = pairs.last {
      multiply(d, last.y)
      let scale = last.product / last.y.dot(d)
      multiply(d, work)
      d.scale(Float(scale))
    } else {
      multiply(d, work)
    }
    for (i, pair) in pairs.enumerated() {
      let beta = pair.y.dot(d) / pair.product
      d.add(Float(alpha[i] - beta), pair.s)
    }
    d.scale(-1)
  }
}

/// Where a method that searches along lines stands: all weights w, the gradient g there, a direction d, and w and g of before the step.
package final class Iterate {
  package let w, g, direction, formerW, formerG: Matrix<Float>

  /// - Parameter w: all weights, which are taken over.
  package init(_ w: consuming Matrix<Float>) {
    let count = w.count
    self.w = w
    g = Matrix(rows: count, columns: 1)
    direction = Matrix(rows: count, columns: 1)
    formerW = Matrix(rows: count, columns: 1)
    formerG = Matrix(rows: count, columns: 1)
  }

  /// w ← w + α d and g there, with α by `wolfeSearch`. Collective if `evaluate` is.
  ///
  /// - Parameters:
  ///   - value: f at w.
  ///   - slope: gᵀd < 0.
  ///   - evaluate: overwrites g by the gradient at w and returns f, not finite where the step was too long.
  /// - Returns: the step and what was found there; nil, and nothing changed, if no step was found.
  package func search(
    from value: Double, slope: Double, first: Double, curvature: Double = 0.9,
    _ evaluate: () throws -> Double
  ) rethrows -> LinePoint? {
    formerW.assign(w)
    formerG.assign(g)
    let found = try wolfeSearch(
      from: LinePoint(step: 0, value: value, slope: slope), first: first, curvature: curvature
    ) { step in
      w.assign(formerW)
      w.add(Float(step), direction)
      let f = try evaluate()
      return (f, f.isFinite ? g.dot(direction) : .nan)
    }
    if found == nil {
      w.assign(formerW)
      g.assign(formerG)
    }
    return found
  }
}

/// A function of the step along a line, and its slope.
package struct LinePoint: Sendable {
  package var step, value, slope: Double

  package init(step: Double, value: Double, slope: Double) {
    self.step = step
    self.value = value
    self.slope = slope
  }
}

/// A step that satisfies the strong Wolfe conditions. Nocedal & Wright (2006), algorithms 3.5 and 3.6, with cubic interpolation.
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
  let sufficient = 1e-4
  var (low, high) = (start, LinePoint?.none)
  var step = first
  for _ in 0..<evaluations {
    let (value, slope) = try evaluate(step)
    let point = LinePoint(step: step, value: value, slope: slope)
    let isTooHigh =
      !value.isFinite || !slope.isFinite || value > start.value + sufficient * step * start.slope
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
      if abs(high.step - low.step) < 1e-12 * max(1, low.step) { return nil }
    } else {
      step = min(4 * step, extrapolated(start, low))
    }
  }
  return nil
}

/// The minimiser of the cubic through both points, kept a tenth of the interval away from its ends; the middle where there is none.
private func interpolated(_ a: LinePoint, _ b: LinePoint) -> Double {
  let (left, right) = (min(a.step, b.step), max(a.step, b.step))
  let margin = 0.1 * (right - left)
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
  let root = change > 0 ? last.step - last.slope / change : 4 * last.step
  return max(2 * last.step, root)
}
