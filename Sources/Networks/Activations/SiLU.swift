import LinearAlgebra

extension Activation {
  /// z / (1 + e^(−z)), which others call swish
  public static let silu = Activation(SiLU())
}

/// z σ(z), to 6 units in the last place. It falls left of −1.278, and from h(z) two z can come: slopes are kept.
struct SiLU: ActivationFunction, SmoothFunction {
  static var keepsSlopes: Bool { true }

  let name = "silu"
  var hidden: SiLU { self }
  var slope: KeptSlope { KeptSlope() }
  func step(beta: Float, gamma: Float) -> SmoothStep<SiLU> { SmoothStep(self, beta: beta, gamma: gamma) }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes { z * Sigmoid.both(z).up }

  @inline(__always)
  func withSlope(_ z: Lanes) -> (h: Lanes, slope: Lanes) {
    let (up, down) = Sigmoid.both(z)
    return (z * up, up * .multiplyAdd(z, down, Lanes(repeating: 1)))
  }

  /// h' = σ(z) (1 + z σ(−z)), h'' = σ(z) σ(−z) (2 + z (σ(−z) − σ(z)))
  @inline(__always)
  func expansion(_ z: Lanes) -> Expansion {
    let (up, down) = Sigmoid.both(z)
    let bend = Lanes.multiplyAdd(z, down - up, Lanes(repeating: 2))
    return Expansion(
      h: z * up, slope: up * .multiplyAdd(z, down, Lanes(repeating: 1)), curvature: up * down * bend)
  }

  /// At 0.
  static var largestCurvature: Float { 0.5 }
  static var turn: (at: Float, depth: Float) { (-1.2784645, 0.27846455) }
  /// Where the top lies just right of the turning point it lies at any distance from it: there each is twice as far
  /// as the last.
  static let knots = Knots(
    of: SiLU(),
    at: (0..<18).map { -12 + 0.6 * Float($0) } + [-1.27, -1.26, -1.24, -1.2, -1.12, -0.96, -0.64]
      + [0, 0.5, 1, 1.5, 2, 2.5, 3.5])
}

/// h'(z) as it was kept.
struct KeptSlope: SlopeFunction {
  @inline(__always)
  func multiply(_ x: Lanes, kept: Lanes) -> Lanes { x * kept }
}
