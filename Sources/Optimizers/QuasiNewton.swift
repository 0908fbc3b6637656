import LinearAlgebra
import Networks
import Sums

/// The limited memory of a quasi-Newton method: its last steps and the gradient's changes along them.
///
/// Nocedal & Wright, "Numerical Optimization" (2006), algorithm 7.4, with any positive definite matrix H₀ in place
/// of the identity, scaled by sᵀy / yᵀH₀y of the last pair. The same bits on every rank.
package struct QuasiNewton: ~Copyable {
  /// A pair of s = w⁺ − w and y = g⁺ − g.
  private final class Pair {
    var s, y: Matrix<Float>
    /// sᵀy, and α of the recursion at hand.
    var product = 0.0
    var alpha = 0.0

    init(count: Int) {
      s = Matrix(rows: count, columns: 1)
      y = Matrix(rows: count, columns: 1)
    }
  }

  /// The least sᵀy / yᵀy of a pair that is remembered: below it rounding may be all that keeps a curvature positive.
  /// It shuts out no other, whose sᵀy / yᵀy is one over a curvature. Chosen, not tuned.
  private static let leastCurvature = 1e-10

  private let capacity: Int
  private var work: Matrix<Float>
  /// The oldest first.
  private var pairs: [Pair] = []
  /// Those that hold nothing. One more than the capacity are there in all: what is not remembered displaces nothing.
  private var spare: [Pair]

  /// - Parameters:
  ///   - count: how many numbers the weights are.
  ///   - capacity: how many pairs are remembered.
  package init(count: Int, capacity: Int) {
    self.capacity = capacity
    work = Matrix(rows: count, columns: 1)
    spare = (0...capacity).map { _ in Pair(count: count) }
    pairs.reserveCapacity(capacity + 1)
  }

  /// Whether it knows anything.
  package var isEmpty: Bool { pairs.isEmpty }

  /// Forgets everything. Local.
  package mutating func clear() {
    spare += pairs
    pairs.removeAll(keepingCapacity: true)
  }

  /// The pairs, the oldest first. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    var count = pairs.count
    try state("pairs", &count)
    while state.isReading && pairs.count > count { spare.append(pairs.removeLast()) }
    while pairs.count < count && spare.count > 1 { pairs.append(spare.removeLast()) }
    for (i, pair) in pairs.enumerated() {
      try state("s\(i)", &pair.s)
      try state("y\(i)", &pair.y)
      try state("product\(i)", &pair.product)
    }
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
    let pair = spare.removeLast()
    pair.s.assign(newW, minus: w)
    pair.y.assign(newG, minus: g)
    pair.product = pair.s.dot(pair.y)
    let isCurved = pair.product > Self.leastCurvature * pair.y.dot(pair.y)
    if isCurved { pairs.append(pair) } else { spare.append(pair) }
    if pairs.count > capacity { spare.append(pairs.removeFirst()) }
  }

  /// d ← −H g. Local; 4 numbers read for each pair and weight.
  ///
  /// - Parameters:
  ///   - d: overwritten.
  ///   - g: the gradient.
  ///   - multiply: H₀: overwrites its first argument by H₀ times the second.
  package mutating func direction(
    _ d: inout Matrix<Float>, _ g: borrowing Matrix<Float>,
    metric multiply: (_ result: inout Matrix<Float>, _ x: borrowing Matrix<Float>) -> Void
  ) {
    work.assign(g)
    for i in pairs.indices.reversed() {
      let pair = pairs[i]
      pair.alpha = pair.s.dot(work) / pair.product
      work.add(Float(-pair.alpha), pair.y)
    }
    if let last = pairs.last {
      multiply(&d, last.y)
      let scale = last.product / last.y.dot(d)
      multiply(&d, work)
      d.scale(Float(scale))
    } else {
      multiply(&d, work)
    }
    for pair in pairs {
      let beta = pair.y.dot(d) / pair.product
      d.add(Float(pair.alpha - beta), pair.s)
    }
    d.scale(-1)
  }
}
