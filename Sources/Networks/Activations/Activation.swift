import LinearAlgebra

/// h: the function between a hidden layer's outputs and its activations, the same for every hidden layer.
///
/// What it does to one tile is one call to the kernel that was compiled for its function.
public struct Activation: Sendable {
  let function: any ActivationFunction

  init(_ function: any ActivationFunction) { self.function = function }

  /// Whether h' can't be read off a = h(z). Then the kernels of the way forward write h'(z), and those of the way
  /// back take it.
  public var keepsSlopes: Bool { function.keepsSlopes }
}

extension Activation: CaseIterable {
  /// All that a configuration can name. A new one stands in a file of its own, and here.
  public static let allCases: [Activation] = [
    .relu, .leaky_relu, .hard_tanh, .hard_sigmoid, .identity, .tanh, .sigmoid, .silu,
  ]
}

extension Activation: RawRepresentable, Equatable, CustomStringConvertible {
  /// The name in configurations and model files.
  public var rawValue: String { function.name }

  /// The activation of that name.
  public init?(rawValue: String) {
    guard let named = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = named
  }

  public var description: String { rawValue }
}

// MARK: Forward

extension Activation {
  /// a ← h(z), entry by entry. Local.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors; may be z itself.
  ///   - z: d × n.
  public func apply(_ a: MutableTile<Float>, _ z: Tile<Float>) { function.apply(a, z, slopes: nil) }

  /// a ← h(W x), d × n. Local; 2 d k n flops. The outputs go from registers through h to memory.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors.
  ///   - W: d × k.
  ///   - x: k × n.
  ///   - slopes: where the activation keeps slopes and a way back follows: d × n, padded, overwritten by h'(W x).
  package func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, slopes: MutableTile<Float>? = nil
  ) {
    function.apply(a, W, x, slopes: slopes)
  }

  /// a ← h(W x) and m ← vᵀ a + b, d × n and 1 × n: the second product takes a from registers. Local; 2 d (k + 1) n
  /// flops.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors.
  ///   - W: d × k, d of 8 or more.
  ///   - x: k × n.
  ///   - output: v, zeros up to the end of its last vector, and b.
  ///   - m: n numbers, next to each other.
  ///   - work: 16 n numbers to work with.
  ///   - slopes: as above.
  package func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>,
    output: (v: UnsafePointer<Float>, b: Float), m: UnsafeMutablePointer<Float>,
    work: UnsafeMutablePointer<Float>, slopes: MutableTile<Float>? = nil
  ) {
    function.apply(a, W, x, output: output, m: m, work: work, slopes: slopes)
  }
}

// MARK: Back

extension Activation {
  /// δ' ← h'(z) ∘ (B δ), d × n. Local; 2 d k n flops.
  ///
  /// Where h' is read off a = h(z), it is at a kink the slope of the flatter side.
  ///
  /// - Parameters:
  ///   - result: d × n, padded, overwritten in whole vectors.
  ///   - B: d × k.
  ///   - delta: k × n.
  ///   - kept: d × n: h'(z) where the activation keeps slopes, else h(z).
  package func multiplySlope(
    _ result: MutableTile<Float>, _ B: borrowing Panels, _ delta: Tile<Float>, kept: Tile<Float>
  ) {
    function.multiplySlope(result, B, delta, kept: kept)
  }

  /// S ← S + h'(z) xᵀ. Local; 2 d k n flops.
  ///
  /// - Parameters:
  ///   - S: d × k, padded.
  ///   - kept: d × n, as above.
  ///   - x: k × n.
  ///   - meanwhile: called some microseconds apart.
  package func addSlopes(
    _ S: MutableTile<Float>, kept: Tile<Float>, _ x: Tile<Float>, meanwhile: () -> Void
  ) {
    function.addSlopes(S, kept: kept, x, meanwhile: meanwhile)
  }
}

// MARK: Updates

extension Activation {
  /// z ← argmin over z of γ (a − h(z))² + β (z − m)² for m = W x, entry by entry. Local; exact to rounding.
  ///
  /// Of equally low values the one on m's side wins. docs/algorithm.md §3; Taylor et al. (2016), eq. 6. m goes from
  /// registers to registers.
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
    gamma: Float, residuals: inout LayerResiduals?, work: UnsafeMutablePointer<Float>
  ) {
    function.minimise(z, W, x, a: a, beta: beta, gamma: gamma, residuals: &residuals, work: work)
  }

  /// The update for given m, d × n, which may be z itself: as above. Local.
  package func minimise(_ z: MutableTile<Float>, m: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float) {
    function.minimise(z, m: m, a: a, beta: beta, gamma: gamma)
  }

  /// v_l, u_l and δ_l of a tile where every constraint has a multiplier, with the a_l and z_l in between. Local.
  ///
  ///     v_l ← (new v_l),   a_l + v_l = h(m_l) − (old v_l) + 2 (new v_l)
  ///     z_l ← argmin_z ‖a_l + v_l − h(z)‖² + ‖z − (m_l − u_l)‖²
  ///     u_l ← u_l + z_l − m_l,   δ_l = m_l − (z_l + u_l)
  ///
  /// - Parameters:
  ///   - delta: d_l × n, padded; the new v_l on entry, δ_l on return.
  ///   - m: d_l × n, W_l a_{l−1}.
  ///   - u: d_l × n, padded; before, it is to be multiplied by `factor`.
  ///   - v: d_l + 1 × n, padded: v_l over a row of zeros, on the scale of β_l already.
  ///   - factor: what u_l is still to be multiplied by.
  /// - Returns: ‖a_l − h(m_l)‖² and ‖h(m_l)‖².
  package func updateHidden(
    delta: MutableTile<Float>, m: Tile<Float>, u: MutableTile<Float>, v: MutableTile<Float>, factor: Float
  ) -> (residual: Double, norm: Double) {
    function.updateHidden(delta: delta, m: m, u: u, v: v, factor: factor)
  }
}
