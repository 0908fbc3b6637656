import LinearAlgebra

extension Activation {
  /// tanh z
  public static let tanh = Activation(Tanh())
}

/// tanh z, to 3 units in the last place.
struct Tanh: ActivationFunction, SmoothFunction, SlopeFunction {
  let name = "tanh"
  var hidden: Tanh { self }
  var slope: Tanh { self }
  func step(beta: Float, gamma: Float) -> SmoothStep<Tanh> { SmoothStep(self, beta: beta, gamma: gamma) }

  /// With E = e^(−2|z|) − 1 it is −E / (2 + E), and the sign of z.
  @inline(__always)
  func h(_ z: Lanes) -> Lanes {
    let E = Lanes.expMinusOneOfNegative(-2 * z.magnitude)
    let t = E / (2 + E)
    return .whereLess(z, .zero, t, else: Lanes.zero - t)
  }

  /// 1 − a²
  @inline(__always)
  func multiply(_ x: Lanes, kept a: Lanes) -> Lanes { x * ((1 - a) * (1 + a)) }

  /// h' = 1 − h², h'' = −2 h h'
  @inline(__always)
  func expansion(_ z: Lanes) -> Expansion {
    let h = h(z)
    let slope = (1 - h) * (1 + h)
    return Expansion(h: h, slope: slope, curvature: -2 * h * slope)
  }

  /// At tanh z = 1/√3.
  static var largestCurvature: Float { 0.77 }
  static var turn: (at: Float, depth: Float) { (-.infinity, 0) }
  static let knots = Knots(of: Tanh(), at: (-10...10).map { 0.6 * Float($0) })
}
