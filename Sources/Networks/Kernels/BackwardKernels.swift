import LinearAlgebra

// What the way back does with slopes: h'(z) ∘ (B δ) as the product comes out of the registers, and Σ h'(z) xᵀ as h'
// goes in.

extension ActivationFunction {
  func multiplySlope(
    _ result: MutableTile<Float>, _ B: borrowing Panels, _ delta: Tile<Float>, kept: Tile<Float>
  ) {
    precondition(kept.rows == result.rows && kept.columns == result.columns, "slopes and δ differ in shape")
    checkPadding(result)
    var visitor = Backward(result: result, kept: kept, slope: slope)
    guard B.hasFewRows else { return B.multiply(delta, &visitor) }
    B.multiply(result, delta)
    for j in 0..<result.columns { visitor.visit(Lanes(at: result.column(j)), row: 0, column: j) }
  }

  func addSlopes(_ S: MutableTile<Float>, kept: Tile<Float>, _ x: Tile<Float>, meanwhile: () -> Void) {
    addProduct(S, slope, of: kept, transposed: x, meanwhile: meanwhile)
  }
}

/// Stores a product times the slopes of h.
private struct Backward<S: SlopeFunction>: VectorVisitor {
  let result: MutableTile<Float>
  let kept: Tile<Float>
  let slope: S

  @inline(__always)
  func visit(_ product: Lanes, row: Int, column: Int) {
    let kept = Lanes(at: kept.base + (row &+ column &* kept.stride))
    slope.multiply(product, kept: kept).store(at: result.base + (row &+ column &* result.stride))
  }
}
