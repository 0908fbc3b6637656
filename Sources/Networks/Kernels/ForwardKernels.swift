import LinearAlgebra

// a ← h(z) and a ← h(W x): the outputs go from registers through h to memory, and so do the slopes where they are
// kept.

extension ActivationFunction {
  func apply(_ a: MutableTile<Float>, _ z: Tile<Float>, slopes: MutableTile<Float>?) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    checkPadding(a)
    let function = hidden
    for j in 0..<a.columns {
      let (to, from) = (a.column(j), z.column(j))
      guard Hidden.keepsSlopes, let slopes else {
        for i in stride(from: 0, to: a.rows, by: laneCount) {
          function.h(Lanes(at: from + i)).store(at: to + i)
        }
        continue
      }
      let toSlopes = slopes.column(j)
      for i in stride(from: 0, to: a.rows, by: laneCount) {
        let (active, slope) = function.withSlope(Lanes(at: from + i))
        active.store(at: to + i)
        slope.store(at: toSlopes + i)
      }
    }
  }

  func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, slopes: MutableTile<Float>?
  ) {
    checkPadding(a)
    guard !W.hasFewRows else {
      W.multiply(a, x)
      return apply(a, Tile(a), slopes: slopes)
    }
    if Hidden.keepsSlopes, let slopes {
      checkPadding(slopes)
      var visitor = Applied<Hidden, 1>(a: a, slopes: slopes, function: hidden)
      W.multiply(x, &visitor)
    } else {
      var visitor = Applied<Hidden, 0>(a: a, slopes: a, function: hidden)
      W.multiply(x, &visitor)
    }
  }

  func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>,
    output: (v: UnsafePointer<Float>, b: Float), m: UnsafeMutablePointer<Float>,
    work: UnsafeMutablePointer<Float>, slopes: MutableTile<Float>?
  ) {
    checkPadding(a)
    let start = Lanes(repeating: output.b).first(1)
    for j in 0..<a.columns { start.store(at: work + j * laneCount) }
    if Hidden.keepsSlopes, let slopes {
      checkPadding(slopes)
      var visitor = AppliedAndSummed<Hidden, 1>(a: a, slopes: slopes, hidden, weights: output.v, sums: work)
      W.multiply(x, &visitor)
    } else {
      var visitor = AppliedAndSummed<Hidden, 0>(a: a, slopes: a, hidden, weights: output.v, sums: work)
      W.multiply(x, &visitor)
    }
    for j in 0..<a.columns { m[j] = Lanes(at: work + j * laneCount).total }
  }
}

/// Stores h of a product, and h' where it is kept.
private struct Applied<H: HiddenFunction, let keepsSlopes: Int>: VectorVisitor {
  let a, slopes: MutableTile<Float>
  let function: H

  @inline(__always)
  func visit(_ product: Lanes, row: Int, column: Int) {
    if keepsSlopes == 1 {
      let (active, slope) = function.withSlope(product)
      active.store(at: a.base + (row &+ column &* a.stride))
      slope.store(at: slopes.base + (row &+ column &* slopes.stride))
    } else {
      function.h(product).store(at: a.base + (row &+ column &* a.stride))
    }
  }
}

/// Stores h of a product, and adds its entries times the weights of its rows, column by column.
private struct AppliedAndSummed<H: HiddenFunction, let keepsSlopes: Int>: VectorVisitor {
  let a, slopes: MutableTile<Float>
  let function: H
  let weights: UnsafePointer<Float>
  /// Sixteen numbers a column.
  let sums: UnsafeMutablePointer<Float>
  private var sum = Lanes.zero

  init(
    a: MutableTile<Float>, slopes: MutableTile<Float>, _ function: H, weights: UnsafePointer<Float>,
    sums: UnsafeMutablePointer<Float>
  ) {
    self.a = a
    self.slopes = slopes
    self.function = function
    self.weights = weights
    self.sums = sums
  }

  @inline(__always)
  mutating func beginColumn(_ column: Int) { sum = Lanes(at: sums + column &* laneCount) }

  @inline(__always)
  mutating func visit(_ product: Lanes, row: Int, column: Int) {
    let active: Lanes
    if keepsSlopes == 1 {
      let both = function.withSlope(product)
      active = both.h
      both.slope.store(at: slopes.base + (row &+ column &* slopes.stride))
    } else {
      active = function.h(product)
    }
    active.store(at: a.base + (row &+ column &* a.stride))
    sum = .multiplyAdd(Lanes(at: weights + row), active, sum)
  }

  @inline(__always)
  mutating func endColumn(_ column: Int) { sum.store(at: sums + column &* laneCount) }
}
