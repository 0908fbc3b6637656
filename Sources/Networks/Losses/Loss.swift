import LinearAlgebra

/// ℓ(z, y): what the last layer's outputs cost. Summed over outputs and samples.
public struct Loss: Sendable {
  private let function: any LossFunction

  init(_ function: any LossFunction) { self.function = function }
}

extension Loss: CaseIterable {
  /// All that a configuration can name. A new one stands in a file of its own, and here.
  public static let allCases: [Loss] = [
    .hinge, .squared_hinge, .square, .huber, .logistic, .softmax, .multiclass_hinge,
  ]
}

extension Loss: RawRepresentable, Equatable, CustomStringConvertible {
  /// The name in configurations and model files.
  public var rawValue: String { function.name }

  /// The loss of that name.
  public init?(rawValue: String) {
    guard let named = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = named
  }

  public var description: String { rawValue }
}

// MARK: What outputs mean

extension Loss {
  /// Whether the loss couples the outputs of a sample, so that it needs one output a class.
  public var isJoint: Bool { function.isJoint }

  /// Whether the outputs can be turned into probabilities.
  public var hasProbabilities: Bool { function.hasProbabilities }

  /// Whether the targets can be any real number.
  public var isForRegression: Bool { function.isForRegression }

  /// Those that fit a regression, in words: `"square" or "huber"`.
  public static var forRegression: String {
    allCases.filter(\.isForRegression).map { "\"\($0)\"" }.joined(separator: " or ")
  }

  /// The target of an output that stands for the sample's class, and of one that does not.
  public var classTargets: (own: Float, other: Float) { function.classTargets }

  /// How much a sample's outputs speak for class k, as the loss sees them: the larger, the more. Local.
  ///
  /// - Parameters:
  ///   - z: the outputs of the sample.
  ///   - outputs: d_L; one output speaks for class 1, and against class 0.
  package func margin(_ z: UnsafePointer<Float>, of k: Int, outputs: Int) -> Float {
    function.margin(z, of: k, outputs: outputs)
  }

  /// log p_c of a sample, without overflow; only of a loss that has probabilities. Local.
  ///
  /// - Parameters:
  ///   - z: the outputs of the sample.
  ///   - outputs: d_L; one output stands for class 1, against class 0.
  package func logProbability(_ z: UnsafePointer<Float>, of c: Int, outputs: Int) -> Double {
    function.logProbability(z, of: c, outputs: outputs)
  }

  /// ℓ'' at its largest: what bounds the step along an output.
  package var largestCurvature: Double { function.largestCurvature }

  /// ℓ of a sample for z = 0: what a network has that knows nothing. Of regression, for targets of unit variance.
  package func atZero(outputs: Int) -> Double { function.atZero(outputs: outputs) }
}

// MARK: Kernels

extension Loss {
  /// Σ ℓ(z, y) over a tile. Local, in double precision.
  ///
  /// - Parameters:
  ///   - z: d_L × n, the outputs.
  ///   - y: d_L × n, the targets.
  public func value(_ z: Tile<Float>, y: Tile<Float>) -> Double {
    precondition(z.rows == y.rows && z.columns == y.columns, "z and y differ in shape")
    return function.value(z, y)
  }

  /// δ ← ∂ℓ/∂z at the given outputs, and Σ ℓ(z, y) over the tile. Local; single precision, sixteen entries at a time
  /// where e^x is needed.
  ///
  /// At the kink of a hinge the derivative is the one of the side without loss, 0.
  ///
  /// - Parameters:
  ///   - delta: d_L × n; the outputs z on entry, their derivatives on return. Columns of eight rows or more are
  ///     padded, and overwritten in whole vectors.
  ///   - y: d_L × n, the targets.
  /// - Returns: the loss, summed over outputs and samples.
  package func derivative(_ delta: MutableTile<Float>, y: Tile<Float>) -> Double {
    precondition(delta.rows == y.rows && delta.columns == y.columns, "z and y differ in shape")
    return function.derivative(delta, y)
  }

  /// z ← argmin over z of ℓ(z, y) + ⟨z, λ⟩ + β ‖z − m‖², the update of the last layer's outputs. Local.
  ///
  /// Exact to rounding for the piecewise losses; logistic and softmax by Newton's method to 1e-6 of the outputs'
  /// scale. docs/algorithm.md §3; Taylor et al. (2016), eq. 7.
  ///
  /// - Parameters:
  ///   - z: d_L × n, overwritten.
  ///   - m: d_L × n, W_L a_{L−1}.
  ///   - y: d_L × n, the targets.
  ///   - lambda: d_L × n, the multiplier.
  ///   - beta: β_L > 0.
  ///   - scratch: at least 4 d_L numbers to work with.
  public func minimise(
    _ z: MutableTile<Float>, m: Tile<Float>, y: Tile<Float>, lambda: Tile<Float>, beta: Float,
    scratch: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(m.rows == z.rows && m.columns == z.columns, "z and m differ in shape")
    precondition(y.rows == z.rows && y.columns == z.columns, "z and y differ in shape")
    precondition(lambda.rows == z.rows && lambda.columns == z.columns, "z and lambda differ in shape")
    function.minimise(z, m, y, lambda, beta, scratch)
  }
}
