import LinearAlgebra

extension Activation {
  /// a ← h(W x), d × n. Local; 2 d k n flops. The outputs go from registers through h to memory.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors.
  ///   - W: d × k.
  ///   - x: k × n.
  func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, slopes: MutableTile<Float>? = nil
  ) {
    checkPadding(a)
    guard !W.hasFewRows else {
      W.multiply(a, x)
      return apply(a, Tile(a))
    }
    if self == .relu {
      var visitor = Applied(a: a, function: ReLU())
      W.multiply(x, &visitor)
    } else {
      var visitor = Applied(a: a, function: Ramp(self))
      W.multiply(x, &visitor)
    }
  }

  /// δ' ← h'(z) ∘ (B δ), d × n. Local; 2 d k n flops.
  ///
  /// h' is read off a = h(z): at a kink it is the slope of the flatter side.
  ///
  /// - Parameters:
  ///   - result: d × n, padded, overwritten in whole vectors.
  ///   - B: d × k.
  ///   - delta: k × n.
  ///   - a: d × n, h(z).
  func multiplySlope(
    _ result: MutableTile<Float>, _ B: borrowing Panels, _ delta: Tile<Float>, kept a: Tile<Float>
  ) {
    checkPadding(result)
    let slope = Slope(self)
    guard !B.hasFewRows else {
      B.multiply(result, delta)
      for j in 0..<result.columns {
        let (to, a) = (result.column(j), a.column(j))
        for i in stride(from: 0, to: result.rows, by: laneCount) {
          slope.multiply(Lanes(at: to + i), a: Lanes(at: a + i)).store(at: to + i)
        }
      }
      return
    }
    if self == .relu {
      var visitor = Backward(result: result, a: a, slope: ReLUSlope())
      B.multiply(delta, &visitor)
    } else {
      var visitor = Backward(result: result, a: a, slope: slope)
      B.multiply(delta, &visitor)
    }
  }
}

extension Activation {
  /// a ← h(W x) and m ← vᵀ a + b, d × n and 1 × n: the second product takes a from registers. Local; 2 d (k + 1) n flops.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors.
  ///   - W: d × k, d of 8 or more.
  ///   - x: k × n.
  ///   - m: n numbers, next to each other.
  ///   - output: v, zeros up to the end of its last vector, and b.
  ///   - work: 16 n numbers to work with.
  func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>,
    output: (v: UnsafePointer<Float>, b: Float),
    m: UnsafeMutablePointer<Float>, work: UnsafeMutablePointer<Float>, slopes: MutableTile<Float>? = nil
  ) {
    checkPadding(a)
    let start = Lanes(repeating: output.b).first(1)
    for j in 0..<a.columns { start.store(at: work + j * laneCount) }
    if self == .relu {
      var visitor = AppliedAndSummed(a: a, function: ReLU(), weights: output.v, sums: work)
      W.multiply(x, &visitor)
    } else {
      var visitor = AppliedAndSummed(a: a, function: Ramp(self), weights: output.v, sums: work)
      W.multiply(x, &visitor)
    }
    for j in 0..<a.columns { m[j] = Lanes(at: work + j * laneCount).total }
  }

  /// S ← S + h'(z) xᵀ, h' read off a = h(z) as above. Local; 2 d k n flops.
  ///
  /// - Parameters:
  ///   - S: d × k, padded.
  ///   - a: d × n.
  ///   - x: k × n.
  func addSlopes(_ S: MutableTile<Float>, kept a: Tile<Float>, _ x: Tile<Float>, meanwhile: () -> Void) {
    if self == .relu {
      addProduct(S, ReLUSlope(), of: a, transposed: x, meanwhile: meanwhile)
    } else {
      addProduct(S, Slope(self), of: a, transposed: x, meanwhile: meanwhile)
    }
  }
}

/// Stores h of a product, and adds its entries times the weights of its rows, column by column.
private struct AppliedAndSummed<H: HiddenFunction>: VectorVisitor {
  let a: MutableTile<Float>
  let function: H
  let weights: UnsafePointer<Float>
  /// Sixteen numbers a column.
  let sums: UnsafeMutablePointer<Float>
  private var sum = Lanes.zero

  init(a: MutableTile<Float>, function: H, weights: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>) {
    self.a = a
    self.function = function
    self.weights = weights
    self.sums = sums
  }

  @inline(__always)
  mutating func beginColumn(_ column: Int) { sum = Lanes(at: sums + column &* laneCount) }

  @inline(__always)
  mutating func visit(_ product: Lanes, row: Int, column: Int) {
    let active = function.h(product)
    active.store(at: a.base + (row &+ column &* a.stride))
    sum = .multiplyAdd(Lanes(at: weights + row), active, sum)
  }

  @inline(__always)
  mutating func endColumn(_ column: Int) { sum.store(at: sums + column &* laneCount) }
}

/// Stores h of a product.
private struct Applied<H: HiddenFunction>: VectorVisitor {
  let a: MutableTile<Float>
  let function: H

  @inline(__always)
  func visit(_ product: Lanes, row: Int, column: Int) {
    function.h(product).store(at: a.base + (row &+ column &* a.stride))
  }
}

/// Stores a product where the slope of h is.
private struct Backward<S: SlopeFunction>: VectorVisitor {
  let result: MutableTile<Float>
  let a: Tile<Float>
  let slope: S

  @inline(__always)
  func visit(_ product: Lanes, row: Int, column: Int) {
    let active = Lanes(at: a.base + (row &+ column &* a.stride))
    slope.multiply(product, a: active).store(at: result.base + (row &+ column &* result.stride))
  }
}

/// h' for sixteen numbers at once, from a = h(z).
private protocol SlopeFunction: EntryFunction {
  /// h' ∘ x
  func multiply(_ x: Lanes, a: Lanes) -> Lanes
}

extension SlopeFunction {
  /// h'
  @inline(__always)
  func callAsFunction(_ a: Lanes) -> Lanes { multiply(Lanes(repeating: 1), a: a) }
}

private struct ReLUSlope: SlopeFunction {
  @inline(__always)
  func multiply(_ x: Lanes, a: Lanes) -> Lanes { .whereLess(.zero, a, x, else: .zero) }
}

/// One slope for lower < h(z) < upper, another elsewhere.
private struct Slope: SlopeFunction {
  private let lower, upper, inner, outer: Lanes

  init(_ activation: Activation) {
    let infinity = Float.infinity
    let numbers: (Float, Float, Float, Float) =
      switch activation {
      case .relu: (0, infinity, 1, 0)
      case .leaky_relu: (0, infinity, 1, 0.01)
      case .hard_tanh: (-1, 1, 1, 0)
      case .hard_sigmoid: (0, 1, 0.5, 0)
      case .identity: (-infinity, infinity, 1, 1)
      }
    lower = Lanes(repeating: numbers.0)
    upper = Lanes(repeating: numbers.1)
    inner = Lanes(repeating: numbers.2)
    outer = Lanes(repeating: numbers.3)
  }

  @inline(__always)
  func multiply(_ x: Lanes, a: Lanes) -> Lanes {
    let left = Lanes.whereLess(lower, a, inner, else: outer)
    return x * .whereLess(a, upper, left, else: outer)
  }
}
