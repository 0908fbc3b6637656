import LinearAlgebra

/// h: the piecewise linear function between a hidden layer's outputs and its activations.
public enum Activation: String, CaseIterable, Sendable, Codable {
  /// max(z, 0)
  case relu
  /// z for z ≥ 0, z / 100 below
  case leaky_relu
  /// z clamped to [−1, 1]
  case hard_tanh
  /// (z + 1) / 2 clamped to [0, 1]
  case hard_sigmoid
  /// z
  case identity

  package var keepsSlopes: Bool { false }

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

  /// The pieces from left to right; they cover the line and h is continuous. Where there are fewer than three, the last comes again.
  var pieces: InlineArray<3, Piece> {
    let infinity = Float.infinity
    switch self {
    case .relu, .leaky_relu:
      let left = Piece(-infinity, 0, slope: self == .relu ? 0 : 0.01, intercept: 0)
      let right = Piece(0, infinity, slope: 1, intercept: 0)
      return [left, right, right]
    case .hard_tanh:
      return [
        Piece(-infinity, -1, slope: 0, intercept: -1), Piece(-1, 1, slope: 1, intercept: 0),
        Piece(1, infinity, slope: 0, intercept: 1),
      ]
    case .hard_sigmoid:
      return [
        Piece(-infinity, -1, slope: 0, intercept: 0), Piece(-1, 1, slope: 0.5, intercept: 0.5),
        Piece(1, infinity, slope: 0, intercept: 1),
      ]
    case .identity:
      let only = Piece(-infinity, infinity, slope: 1, intercept: 0)
      return [only, only, only]
    }
  }

  /// a ← h(z), entry by entry. Local.
  ///
  /// - Parameters:
  ///   - a: d × n, padded, overwritten in whole vectors; may be z itself.
  ///   - z: d × n.
  public func apply(_ a: MutableTile<Float>, _ z: Tile<Float>) {
    precondition(a.rows == z.rows && a.columns == z.columns, "a and z differ in shape")
    checkPadding(a)
    func apply<H: HiddenFunction>(_ function: H) {
      for j in 0..<a.columns {
        let (to, from) = (a.column(j), z.column(j))
        for i in stride(from: 0, to: a.rows, by: laneCount) {
          function.h(Lanes(at: from + i)).store(at: to + i)
        }
      }
    }
    if self == .relu { apply(ReLU()) } else { apply(Ramp(self)) }
  }
}

/// h for sixteen numbers at once.
protocol HiddenFunction {
  func h(_ z: Lanes) -> Lanes
}

/// max(z, 0)
struct ReLU: HiddenFunction {
  @inline(__always)
  func h(_ z: Lanes) -> Lanes { .max(z, .zero) }
}

/// min(max(slope · z + intercept, lowerSlope · z + lower), upper), which the activations other than ReLU are.
struct Ramp: HiddenFunction {
  private let slope, intercept, lowerSlope, lower, upper: Lanes

  init(_ activation: Activation) {
    let infinity = Float.infinity
    let numbers: (Float, Float, Float, Float, Float) =
      switch activation {
      case .relu: (1, 0, 0, 0, infinity)
      case .leaky_relu: (1, 0, 0.01, 0, infinity)
      case .hard_tanh: (1, 0, 0, -1, 1)
      case .hard_sigmoid: (0.5, 0.5, 0, 0, 1)
      case .identity: (1, 0, 1, 0, infinity)
      }
    slope = Lanes(repeating: numbers.0)
    intercept = Lanes(repeating: numbers.1)
    lowerSlope = Lanes(repeating: numbers.2)
    lower = Lanes(repeating: numbers.3)
    upper = Lanes(repeating: numbers.4)
  }

  @inline(__always)
  func h(_ z: Lanes) -> Lanes {
    .min(.max(.multiplyAdd(slope, z, intercept), .multiplyAdd(lowerSlope, z, lower)), upper)
  }
}
