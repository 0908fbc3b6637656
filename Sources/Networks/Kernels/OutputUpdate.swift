import LinearAlgebra

// z ← argmin γ (a − h(z))² + β (z − m)²: m goes from the registers of a product, or from memory, to z.

extension ActivationFunction {
  func minimise(
    _ z: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, a: Activations, beta: Float,
    gamma: Float, residuals: inout LayerResiduals?, work: UnsafeMutablePointer<Float>
  ) {
    precondition(z.rows == W.rows && z.columns == x.columns, "z_l is \(z.rows) × \(z.columns)")
    checkPadding(z)
    let step = step(beta: beta, gamma: gamma)
    switch a {
    case .stored(let a): update(z, W, x, StoredActivations(a), step, &residuals, work)
    case .implicit(let a): update(z, W, x, a, step, &residuals, work)
    }
  }

  func minimise(_ z: MutableTile<Float>, m: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    precondition(m.rows == z.rows && m.columns == z.columns, "m and z differ in shape")
    checkPadding(z)
    let step = step(beta: beta, gamma: gamma)
    for j in 0..<z.columns {
      let (to, m, a) = (z.column(j), m.column(j), a.column(j))
      for i in stride(from: 0, to: z.rows, by: laneCount) {
        step.best(Lanes(at: a + i), Lanes(at: m + i)).store(at: to + i)
      }
    }
  }
}

@inline(__always)
private func update<A: ActivationSource, Step: EntryStep>(
  _ z: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, _ a: A, _ step: Step,
  _ residuals: inout LayerResiduals?, _ work: UnsafeMutablePointer<Float>
) {
  if let sums = residuals {
    var visitor = OutputUpdate<A, Step, 1>(z: z, a: a, step: step, residuals: sums)
    multiply(W, x, &visitor, work)
    residuals = visitor.residuals
  } else {
    var visitor = OutputUpdate<A, Step, 0>(z: z, a: a, step: step, residuals: LayerResiduals())
    multiply(W, x, &visitor, work)
  }
}

private func multiply<Visitor: VectorVisitor>(
  _ W: borrowing Panels, _ x: Tile<Float>, _ visitor: inout Visitor, _ work: UnsafeMutablePointer<Float>
) {
  guard W.hasFewRows else { return W.multiply(x, &visitor) }
  let m = MutableTile(base: work, rows: W.rows, columns: x.columns, stride: laneCount)
  W.multiply(m, x)
  for j in 0..<x.columns { visitor.visit(Lanes(at: m.column(j)), row: 0, column: j) }
  visitor.endBlock()
}

/// Where an update of z_l finds a_l.
package enum Activations {
  /// In memory: d_l × n.
  case stored(Tile<Float>)
  /// Nowhere: it is made from z_l, which is about to be overwritten.
  case implicit(ImplicitActivations)
}

/// a_l, sixteen rows at a time.
protocol ActivationSource {
  /// Asks for what `lanes` will load.
  func announce(row: Int, column: Int)
  /// Rows `row` … `row + 15` of column `column`, for the present z_l and h of it.
  func lanes(row: Int, column: Int, h: Lanes) -> Lanes
}

struct StoredActivations: ActivationSource {
  private let base: UnsafePointer<Float>
  private let stride: Int

  init(_ a: Tile<Float>) {
    base = a.base
    stride = a.stride
  }

  @inline(__always)
  func announce(row: Int, column: Int) { prefetch(base + (row &+ column &* stride)) }

  @inline(__always)
  func lanes(row: Int, column: Int, h: Lanes) -> Lanes { Lanes(at: base + (row &+ column &* stride)) }
}

/// a_l = h(z_l) + u c_n for one output: u = Vᵀ (V Vᵀ + r)⁻¹, and c_n = z_{l+1} − b − V h(z_l) of sample n.
package struct ImplicitActivations: ActivationSource {
  /// u, d_l numbers and padding.
  let step: UnsafePointer<Float>
  /// c, a number a sample.
  let residual: UnsafePointer<Float>

  @inline(__always)
  func announce(row: Int, column: Int) {}

  @inline(__always)
  func lanes(row: Int, column: Int, h: Lanes) -> Lanes {
    .multiplyAdd(Lanes(at: step + row), Lanes(repeating: residual[column]), h)
  }
}

/// Updates z_l by the m that a product shows.
private struct OutputUpdate<A: ActivationSource, Step: EntryStep, let measured: Int>: VectorVisitor {
  let z: MutableTile<Float>
  let a: A
  let step: Step
  var residuals: LayerResiduals

  @inline(__always)
  func announce(row: Int, column: Int) {
    prefetch(z.base + (row &+ column &* z.stride))
    a.announce(row: row, column: column)
  }

  @inline(__always)
  mutating func visit(_ m: Lanes, row: Int, column: Int) {
    let place = z.base + (row &+ column &* z.stride)
    let a = a.lanes(row: row, column: column, h: step.h(Lanes(at: place)))
    let new = step.best(a, m)
    new.store(at: place)
    if measured == 1 { residuals.add(m: m, z: new, a: a, h: step.h(new), count: z.rows &- row) }
  }

  @inline(__always)
  mutating func endBlock() {
    if measured == 1 { residuals.endBlock() }
  }
}
