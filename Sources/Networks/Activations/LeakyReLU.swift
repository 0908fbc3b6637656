extension Activation {
  /// z for z ≥ 0, z / 100 below
  public static let leaky_relu = Activation(PiecewiseLinear(LeakyReLU.self))
}

private enum LeakyReLU: PiecewiseShape {
  static let name = "leaky_relu"
  static var pieces: InlineArray<3, Piece> {
    let right = Piece(0, .infinity, slope: 1, intercept: 0)
    return [Piece(-.infinity, 0, slope: 0.01, intercept: 0), right, right]
  }
}
