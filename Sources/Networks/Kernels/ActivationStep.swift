import LinearAlgebra

/// W_{l+1} = [V b] made ready for many tiles: for m = W_{l+1} a_l, and for the update
///
///     a_l ← (β VᵀV + γ I)⁻¹ (β Vᵀ (z_{l+1} − b) + γ h(z_l)),   β = β_{l+1}, γ = γ_l.
///
/// With r = γ/β it is h + Vᵀ (V Vᵀ + r I)⁻¹ (z_{l+1} − b − V h), h = h(z_l), by the push-through identity. The
/// smaller of the two systems is solved, once a sweep: algorithm.md §3; Taylor et al. (2016), eq. 5.
package struct ActivationStep: ~Copyable {
  /// W_{l+1}, without its bias column where there is no bias.
  package private(set) var weights: Panels
  /// d_{l+1} ≤ d_l: Vᵀ (V Vᵀ + r I)⁻¹, else (VᵀV + r I)⁻¹ Vᵀ. The two are equal; d_l × d_{l+1}, padded.
  package private(set) var ofOutputs: Matrix<Float>
  /// d_{l+1} > d_l: r (VᵀV + r I)⁻¹, d_l × d_l, padded; else empty.
  package private(set) var ofActivations: Matrix<Float>
  /// How the update is computed.
  private enum Form {
    /// d_{l+1} ≤ d_l, and few outputs: a column at a time, all in registers.
    case few
    /// d_{l+1} ≤ d_l.
    case narrow
    /// d_{l+1} > d_l.
    case wide
  }

  private let form: Form
  /// b; 0 where there is no bias.
  private var bias: Matrix<Float>
  private let activationCount, outputCount: Int
  private var outputPanels, activationPanels: Panels
  private var rightInverse: RightInverse

  /// The most outputs of `Form.few`.
  private static let mostFew = 4

  /// - Parameters:
  ///   - outputs: d_{l+1}.
  ///   - activations: d_l.
  ///   - hasBias: whether W_{l+1} has a bias column.
  package init(from outputs: Int, to activations: Int, hasBias: Bool) {
    form = Self.form(from: outputs, to: activations)
    let isWide = form == .wide
    bias = Matrix(rows: outputs, columns: 1)
    activationCount = activations
    outputCount = outputs
    weights = Panels(rows: outputs, columns: activations + (hasBias ? 1 : 0))
    ofOutputs = Matrix(rows: paddedRows(activations), columns: outputs)
    ofActivations = Matrix(rows: paddedRows(activations), columns: isWide ? activations : 0)
    outputPanels = Panels(rows: activations, columns: outputs)
    activationPanels = Panels(rows: activations, columns: isWide ? activations : 0)
    rightInverse = RightInverse(outputs: outputs, activations: activations)
  }

  private static func form(from outputs: Int, to activations: Int) -> Form {
    outputs > activations ? .wide : outputs <= mostFew ? .few : .narrow
  }

  /// How many floating-point operations `apply` needs a sample.
  package static func flops(from outputs: Int, to activations: Int) -> Int {
    form(from: outputs, to: activations) == .wide
      ? 2 * activations * (outputs + activations) : 4 * outputs * activations
  }

  /// Takes new weights and solves their system. Local, the same on every rank; no allocation.
  ///
  /// - Parameters:
  ///   - W: W_{l+1}, without its bias column where there is no bias.
  ///   - r: γ_l / β_{l+1} > 0.
  package mutating func prepare(W: Tile<Float>, r: Double) throws {
    assign(W: W)
    try rightInverse.take(W.columns(0..<activationCount), r: r)
    round(&ofOutputs, rightInverse.matrix, scale: 1)
    outputPanels.assign(ofOutputs.rows(0..<activationCount))
    if form == .wide {
      round(&ofActivations, rightInverse.inverse, scale: r)
      activationPanels.assign(ofActivations.rows(0..<activationCount))
    }
  }

  /// Takes new weights for `weights` alone. Local.
  package mutating func assign(W: Tile<Float>) {
    weights.assign(W)
    if W.columns > activationCount {
      bias.mutableAll.assign(W.columns(activationCount..<activationCount + 1))
    }
  }

  /// a_l from z_l and z_{l+1}. Local; `flops` a sample.
  ///
  /// - Parameters:
  ///   - a: (d_l + 1) × n, padded, overwritten: a_l over a row of ones, and where `stacksOutputs` holds over
  ///     z_{l+1}.
  ///   - z: d_l × n, the outputs z_l.
  ///   - next: d_{l+1} × n, the outputs z_{l+1}.
  ///   - activation: h.
  ///   - work: at least 2 max(d_l, d_{l+1}) padded × n numbers to work with.
  package func apply(
    _ a: MutableTile<Float>, z: Tile<Float>, next: Tile<Float>, _ activation: Activation,
    work: UnsafeMutablePointer<Float>
  ) {
    precondition(
      a.rows == activationCount + 1 && z.rows == activationCount, "a_l has \(a.rows) rows, z_l \(z.rows)")
    precondition(next.rows == outputCount && next.columns == z.columns, "z_{l+1} does not fit z_l")
    // A column at a time, h(z) made where it is used and never stored.
    if form == .few { return activation.function.updateActivations(a, z: z, next: next, by: few) }
    let active = a.rows(0..<activationCount)
    let residual = MutableTile(
      base: work, rows: outputCount, columns: z.columns, stride: paddedRows(outputCount))
    if form == .wide {
      // a ← r (VᵀV + rI)⁻¹ h + (VᵀV + rI)⁻¹ Vᵀ (z − b)
      let h = MutableTile(
        base: work + residual.stride * z.columns, rows: activationCount, columns: z.columns,
        stride: paddedRows(activationCount))
      activation.apply(h, z)
      activationPanels.multiply(active, Tile(h))
      subtractBias(residual, next)
    } else {
      // a ← h + Vᵀ (V Vᵀ + rI)⁻¹ (z − b − V h)
      activation.apply(active, z)
      a.fillRow(activationCount, with: 1)
      weights.multiply(residual, Tile(a.rows(0..<weights.columns)))
      subtract(residual, from: next)
    }
    outputPanels.multiply(active, Tile(residual), isAdded: true)
    a.fillRow(activationCount, with: 1)
  }

  /// m ← z − m.
  private func subtract(_ m: MutableTile<Float>, from z: Tile<Float>) {
    for j in 0..<m.columns {
      let (to, z) = (m.column(j), z.column(j))
      for i in 0..<m.rows { to[i] = z[i] - to[i] }
    }
  }

  /// out ← z − b.
  private func subtractBias(_ out: MutableTile<Float>, _ z: Tile<Float>) {
    for j in 0..<out.columns {
      let (to, z) = (out.column(j), z.column(j))
      for i in 0..<out.rows { to[i] = z[i] - bias.base[i] }
    }
  }

  /// Whether `apply` puts z_{l+1} below the row of ones of a_l, where the padding has room for it.
  package static func stacksOutputs(from outputs: Int, to activations: Int) -> Bool {
    form(from: outputs, to: activations) == .few && activations % laneCount + 1 + outputs <= laneCount
  }

  /// Whether a_l need not be stored between its recall and the update of z_l: see `recall`.
  package var canBeImplicit: Bool { form == .few && outputCount == 1 }

  /// What recalls a_l in registers, for one output: c_n = z_{l+1} − b − V h(z_l), so that a_l = h(z_l) + u c. And
  /// with it m = W a_l for other weights W. Local; some 6 d_l flops a sample.
  ///
  /// - Parameters:
  ///   - residual: c, n numbers, overwritten.
  ///   - m: n numbers, overwritten.
  ///   - newer: the step whose weights are W.
  package func recall(
    _ residual: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, z: Tile<Float>,
    next: Tile<Float>, newer: borrowing ActivationStep, _ activation: Activation
  ) {
    precondition(canBeImplicit && next.isOnePiece, "\(outputCount) outputs")
    activation.function.recallActivations(
      residual, m, z: z, next: next, by: few, row: newer.weights.row(0))
  }

  /// What the kernels for few outputs read of this; valid while it is not changed.
  private var few: FewOutputWeights {
    FewOutputWeights(
      weights: weights.row(0), weightStride: outputCount > 1 ? weights.row(1) - weights.row(0) : 0,
      inputs: weights.columns, step: ofOutputs.base, stepStride: ofOutputs.rows,
      stacksOutputs: Self.stacksOutputs(from: outputCount, to: activationCount))
  }

  /// As a source for the update of z_l.
  package func implicit(_ residual: UnsafePointer<Float>) -> ImplicitActivations {
    ImplicitActivations(step: ofOutputs.base, residual: residual)
  }
}

/// to ← scale · from, in single precision.
private func round(_ to: inout Matrix<Float>, _ from: borrowing Matrix<Double>, scale: Double) {
  let (to, rows) = (to.mutableAll, from.rows)
  for j in 0..<from.columns {
    let (to, from) = (to.column(j), from.all.column(j))
    for i in 0..<rows { to[i] = Float(scale * from[i]) }
  }
}
