import LinearAlgebra

extension Activation {
  /// 1 / (1 + e^(−z))
  public static let sigmoid = Activation(Sigmoid())
}

/// 1 / (1 + e^(−z)), to 4 units in the last place; 0 below −87.
struct Sigmoid: ActivationFunction, SmoothFunction, SlopeFunction {
  let name = "sigmoid"
  var hidden: Sigmoid { self }
  var slope: Sigmoid { self }
  func step(beta: Float, gamma: Float) -> SmoothStep<Sigmoid> { SmoothStep(self, beta: beta, gamma: gamma) }

  /// σ(z) and σ(−z), of which neither loses digits: with u = e^(−|z|) they are 1 / (1 + u) and u / (1 + u).
  @inline(__always)
  static func both(_ z: Lanes) -> (up: Lanes, down: Lanes) {
    let u = Lanes.expOfNegative(Lanes.zero - z.magnitude)
    let large = 1 / (1 + u)
    let small = u * large
    return (.whereLess(z, .zero, small, else: large), .whereLess(z, .zero, large, else: small))
  }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes { Self.both(z).up }

  /// a (1 − a)
  @inline(__always)
  func multiply(_ x: Lanes, kept a: Lanes) -> Lanes { x * (a * (1 - a)) }

  /// h' = σ(z) σ(−z), h'' = h' (σ(−z) − σ(z))
  @inline(__always)
  func expansion(_ z: Lanes) -> Expansion {
    let (up, down) = Self.both(z)
    return Expansion(h: up, slope: up * down, curvature: up * down * (down - up))
  }

  /// At σ(z) = (3 − √3) / 6.
  static var largestCurvature: Float { 0.0963 }
  static var turn: (at: Float, depth: Float) { (-.infinity, 0) }
  static let knots = Knots(of: Sigmoid(), at: (-10...10).map { 1.2 * Float($0) })
}
