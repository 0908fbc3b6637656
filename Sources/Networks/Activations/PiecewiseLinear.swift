import LinearAlgebra

/// One linear piece of h: h(z) = slope · z + intercept for lower ≤ z ≤ upper.
struct Piece {
  let lower, upper, slope, intercept: Float

  init(_ lower: Float, _ upper: Float, slope: Float, intercept: Float) {
    self.lower = lower
    self.upper = upper
    self.slope = slope
    self.intercept = intercept
  }
}

/// An h that rises in at most three linear pieces, of which the middle one is the steepest.
protocol PiecewiseShape: SendableMetatype {
  static var name: String { get }
  /// The pieces from left to right; they cover the line and h is continuous. Where there are fewer than three, the
  /// last comes again. All pieces but the first are flat or as steep as the middle one.
  static var pieces: InlineArray<3, Piece> { get }
}

/// h, its slopes and its z-update, made of its pieces. One type for all shapes, so that their kernels are compiled
/// once.
struct PiecewiseLinear: ActivationFunction {
  private let shape: any PiecewiseShape.Type

  init(_ shape: any PiecewiseShape.Type) { self.shape = shape }

  var name: String { shape.name }
  var hidden: Ramp { Ramp(shape.pieces) }
  var slope: RampSlope { RampSlope(shape.pieces) }
  func step(beta: Float, gamma: Float) -> PiecewiseStep {
    PiecewiseStep(shape.pieces, beta: beta, gamma: gamma)
  }
}

/// min(max(the middle piece, the left piece), the height of a flat right piece).
struct Ramp: HiddenFunction {
  private let slope, intercept, lowerSlope, lower, upper: Lanes

  init(_ pieces: InlineArray<3, Piece>) {
    slope = Lanes(repeating: pieces[1].slope)
    intercept = Lanes(repeating: pieces[1].intercept)
    lowerSlope = Lanes(repeating: pieces[0].slope)
    lower = Lanes(repeating: pieces[0].intercept)
    upper = Lanes(repeating: pieces[2].height)
  }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes {
    .min(.max(.multiplyAdd(slope, z, intercept), .multiplyAdd(lowerSlope, z, lower)), upper)
  }
}

extension Piece {
  /// h on a flat piece; ∞ on another.
  fileprivate var height: Float { slope == 0 ? intercept : .infinity }
}

/// The middle piece's slope for lower < h(z) < upper, the left one's elsewhere.
struct RampSlope: SlopeFunction {
  private let lower, upper, inner, outer: Lanes

  init(_ pieces: InlineArray<3, Piece>) {
    let left = pieces[0]
    lower = Lanes(repeating: left.slope * left.upper + left.intercept)
    upper = Lanes(repeating: pieces[2].height)
    inner = Lanes(repeating: pieces[1].slope)
    outer = Lanes(repeating: left.slope)
  }

  @inline(__always)
  func multiply(_ x: Lanes, kept a: Lanes) -> Lanes {
    let left = Lanes.whereLess(lower, a, inner, else: outer)
    return x * .whereLess(a, upper, left, else: outer)
  }
}

/// The minimiser of γ (a − h(z))² + β (z − m)²: on each piece that of a parabola, clamped to the piece; the piece
/// with the lowest value wins, and of equals the one that contains m.
struct PiecewiseStep: EntryStep {
  private let function: Ramp
  private let left, middle, right: PieceStep

  init(_ pieces: InlineArray<3, Piece>, beta: Float, gamma: Float) {
    function = Ramp(pieces)
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

  init(_ piece: Piece, beta: Float, gamma: Float) {
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
