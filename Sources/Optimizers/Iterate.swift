import LinearAlgebra
import Networks
import Sums

/// Where a method that searches along lines stands: all weights w, the gradient g there, a direction d, and w and g
/// of before the step.
package final class Iterate {
  package var w, g, direction, formerW, formerG: Matrix<Float>

  /// - Parameter w: all weights, which are taken over.
  package init(_ w: consuming Matrix<Float>) {
    let count = w.count
    self.w = w
    g = Matrix(rows: count, columns: 1)
    direction = Matrix(rows: count, columns: 1)
    formerW = Matrix(rows: count, columns: 1)
    formerG = Matrix(rows: count, columns: 1)
  }

  /// All five. Collective.
  package func archive(_ state: any StateArchive) throws {
    try state("w", &w)
    try state("g", &g)
    try state("direction", &direction)
    try state("former_w", &formerW)
    try state("former_g", &formerG)
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
