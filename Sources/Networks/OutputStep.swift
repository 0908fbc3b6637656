import LinearAlgebra

extension Activation {
  /// z ← argmin over z of γ (a − h(z))² + β (z − m)² for m = W x, entry by entry. Local; exact to rounding.
  ///
  /// On each linear piece of h the minimiser is that of a parabola, clamped to the piece. The piece with the lowest value wins; of
  /// equals, the one that contains m. algorithm.md §3; Taylor et al. (2016), eq. 6. m goes from registers to registers.
  ///
  /// - Parameters:
  ///   - z: d × n, padded, overwritten in whole vectors.
  ///   - W: d × k.
  ///   - x: k × n, the inputs a_{l−1}.
  ///   - a: the activations a_l.
  ///   - beta: β_l > 0.
  ///   - gamma: γ_l > 0.
  ///   - residuals: if not nil, the squared norms of z − m, z, a − h(z) and a are added to it.
  ///   - work: 16 n numbers to work with, where W has few rows.
  package func minimise(
    _ z: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, a: Activations, beta: Float,
    gamma: Float,
    residuals: inout LayerResiduals?, work: UnsafeMutablePointer<Float>
  ) {
    precondition(z.rows == W.rows && z.columns == x.columns, "z_l is \(z.rows) × \(z.columns)")
    checkPadding(z)
    let isMeasured = residuals != nil
    var sums = residuals ?? LayerResiduals()
    switch (self, a) {
    case (.relu, .stored(let a)):
      update(z, W, x, StoredActivations(a), ReLUStep(beta: beta, gamma: gamma), isMeasured, &sums, work)
    case (.relu, .implicit(let a)):
      update(z, W, x, a, ReLUStep(beta: beta, gamma: gamma), isMeasured, &sums, work)
    case (_, .stored(let a)):
      update(
        z, W, x, StoredActivations(a), PiecewiseStep(self, beta: beta, gamma: gamma), isMeasured, &sums, work)
    case (_, .implicit(let a)):
      update(z, W, x, a, PiecewiseStep(self, beta: beta, gamma: gamma), isMeasured, &sums, work)
    }
    if isMeasured { residuals = sums }
  }

  @inline(__always)
  private func update<A: ActivationSource, Step: EntryStep>(
    _ z: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, _ a: A, _ step: Step,
    _ isMeasured: Bool,
    _ residuals: inout LayerResiduals, _ work: UnsafeMutablePointer<Float>
  ) {
    if isMeasured {
      var visitor = OutputUpdate<A, Step, 1>(z: z, a: a, step: step, residuals: residuals)
      multiply(W, x, &visitor, work)
      residuals = visitor.residuals
    } else {
      var visitor = OutputUpdate<A, Step, 0>(z: z, a: a, step: step, residuals: residuals)
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

/// The squared norms of z − m, z, a − h(z) and a over a layer's entries: single precision within a block, double beyond.
package struct LayerResiduals: Sendable {
  package private(set) var outputs = 0.0
  package private(set) var outputNorm = 0.0
  package private(set) var activations = 0.0
  package private(set) var activationNorm = 0.0
  private var block = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)

  /// All norms 0.
  package init() {}

  @inline(__always)
  fileprivate mutating func add(m: Lanes, z: Lanes, a: Lanes, h: Lanes, count: Int) {
    let (outputs, activations) = ((z - m).first(count), (a - h).first(count))
    let (z, a) = (z.first(count), a.first(count))
    block.0 = .multiplyAdd(outputs, outputs, block.0)
    block.1 = .multiplyAdd(z, z, block.1)
    block.2 = .multiplyAdd(activations, activations, block.2)
    block.3 = .multiplyAdd(a, a, block.3)
  }

  @inline(__always)
  fileprivate mutating func endBlock() {
    outputs += Double(block.0.total)
    outputNorm += Double(block.1.total)
    activations += Double(block.2.total)
    activationNorm += Double(block.3.total)
    block = (.zero, .zero, .zero, .zero)
  }
}

extension Activation {
  /// The update for given m, d × n, which may be z itself: as above. Local.
  package func minimise(_ z: MutableTile<Float>, m: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    precondition(m.rows == z.rows && m.columns == z.columns, "m and z differ in shape")
    checkPadding(z)
    func minimise<Step: EntryStep>(_ step: Step) {
      for j in 0..<z.columns {
        let (to, m, a) = (z.column(j), m.column(j), a.column(j))
        for i in stride(from: 0, to: z.rows, by: laneCount) {
          step.best(Lanes(at: a + i), Lanes(at: m + i)).store(at: to + i)
        }
      }
    }
    if self == .relu {
      minimise(ReLUStep(beta: beta, gamma: gamma))
    } else {
      minimise(PiecewiseStep(self, beta: beta, gamma: gamma))
    }
  }
}

/// The minimiser of γ (a − h(z))² + β (z − m)², sixteen entries at a time.
protocol EntryStep: HiddenFunction {
  func best(_ a: Lanes, _ m: Lanes) -> Lanes
}

/// The minimiser for h(z) = max(z, 0), without a comparison of values.
///
/// The parabola of z > 0 has its minimum s = (γa + βm)/(γ+β), of value κ(a − m)² with κ = γβ/(γ+β); the best z ≤ 0 is min(m, 0).
/// For m ≥ 0 that is 0, where the parabola is no lower: max(s, 0) wins. For m < 0 it is m, of value γa²: s wins where
/// √κ (a − m) < √γ a, that is where a + ρm > 0 with ρ = √κ / (√γ − √κ), and then s > 0. So m wins where neither m nor a + ρm is
/// positive (m = 0 is then max(s, 0) as well), else max(s, 0).
struct ReLUStep: EntryStep {
  private let weightOfA, weightOfM, rho: Lanes

  init(beta: Float, gamma: Float) {
    let (beta, gamma) = (Double(beta), Double(gamma))
    let (rootOfGamma, rootOfKappa) = (gamma.squareRoot(), (gamma * beta / (gamma + beta)).squareRoot())
    weightOfA = Lanes(repeating: Float(gamma / (gamma + beta)))
    weightOfM = Lanes(repeating: Float(beta / (gamma + beta)))
    rho = Lanes(repeating: Float(rootOfKappa / (rootOfGamma - rootOfKappa)))
  }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes { .max(z, .zero) }

  @inline(__always)
  func best(_ a: Lanes, _ m: Lanes) -> Lanes {
    let s = Lanes.multiplyAdd(weightOfM, m, weightOfA * a)
    return .whereLess(.zero, .max(m, .multiplyAdd(rho, m, a)), .max(s, .zero), else: m)
  }
}

/// The minimiser for any h of three linear pieces or fewer: the best of every piece's own.
struct PiecewiseStep: EntryStep {
  private let function: Ramp
  private let left, middle, right: PieceStep

  init(_ activation: Activation, beta: Float, gamma: Float) {
    let pieces = activation.pieces
    function = Ramp(activation)
    left = PieceStep(pieces[0], beta: beta, gamma: gamma)
    middle = PieceStep(pieces[1], beta: beta, gamma: gamma)
    right = PieceStep(pieces[2], beta: beta, gamma: gamma)
  }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes { function.h(z) }

  @inline(__always)
  func best(_ a: Lanes, _ m: Lanes) -> Lanes {
    right.ifBetter(than: middle.ifBetter(than: left.best(a, m), a, m), a, m).z
  }
}

/// The minimisation of γ (a − h(z))² + β (z − m)² on one linear piece of h.
private struct PieceStep {
  private let lower, upper, slope, intercept, beta, gamma, weightOfA, weightOfM: Lanes

  init(_ piece: Activation.Piece, beta: Float, gamma: Float) {
    let curvature = gamma * piece.slope * piece.slope + beta
    lower = Lanes(repeating: piece.lower)
    upper = Lanes(repeating: piece.upper)
    slope = Lanes(repeating: piece.slope)
    intercept = Lanes(repeating: piece.intercept)
    self.beta = Lanes(repeating: beta)
    self.gamma = Lanes(repeating: gamma)
    weightOfA = Lanes(repeating: gamma * piece.slope / curvature)
    weightOfM = Lanes(repeating: beta / curvature)
  }

  /// The minimiser on this piece, and its value.
  @inline(__always)
  func best(_ a: Lanes, _ m: Lanes) -> (z: Lanes, value: Lanes) {
    let z = Lanes.min(.max(weightOfA * (a - intercept) + weightOfM * m, lower), upper)
    let distance = a - (slope * z + intercept)
    return (z, gamma * distance * distance + beta * (z - m) * (z - m))
  }

  /// This piece's minimiser if it beats `left`, the best of all pieces further left.
  @inline(__always)
  func ifBetter(than left: (z: Lanes, value: Lanes), _ a: Lanes, _ m: Lanes) -> (z: Lanes, value: Lanes) {
    let own = best(a, m)
    let isBetter = (own.value .< left.value) .| ((own.value .== left.value) .& (m .>= lower))
    return (
      left.z.replacing(with: own.z, where: isBetter), left.value.replacing(with: own.value, where: isBetter)
    )
  }
}
