import LinearAlgebra

extension Activation {
  /// max(z, 0)
  public static let relu = Activation(ReLU())
}

/// max(z, 0)
struct ReLU: ActivationFunction, HiddenFunction {
  let name = "relu"
  var hidden: ReLU { self }
  var slope: ReLUSlope { ReLUSlope() }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes { .max(z, .zero) }

  func step(beta: Float, gamma: Float) -> ReLUStep { ReLUStep(beta: beta, gamma: gamma) }
}

/// 1 where h(z) > 0, else 0.
struct ReLUSlope: SlopeFunction {
  @inline(__always)
  func multiply(_ x: Lanes, kept a: Lanes) -> Lanes { .whereLess(.zero, a, x, else: .zero) }
}

/// The minimiser for h(z) = max(z, 0), without a comparison of values.
///
/// The parabola of z > 0 has its minimum s = (γa + βm)/(γ+β), of value κ(a − m)² with κ = γβ/(γ+β); the best z ≤ 0
/// is min(m, 0). For m ≥ 0 that is 0, where the parabola is no lower: max(s, 0) wins. For m < 0 it is m, of value
/// γa²: s wins where √κ (a − m) < √γ a, that is where a + ρm > 0 with ρ = √κ / (√γ − √κ), and then s > 0. So m wins
/// where neither m nor a + ρm is positive (m = 0 is then max(s, 0) as well), else max(s, 0).
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
