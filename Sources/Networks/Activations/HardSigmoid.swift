extension Activation {
  /// (z + 1) / 2 clamped to [0, 1]
  public static let hard_sigmoid = Activation(PiecewiseLinear(HardSigmoid.self))
}

private enum HardSigmoid: PiecewiseShape {
  static let name = "hard_sigmoid"
  static var pieces: InlineArray<3, Piece> {
    [
      Piece(-.infinity, -1, slope: 0, intercept: 0), Piece(-1, 1, slope: 0.5, intercept: 0.5),
      Piece(1, .infinity, slope: 0, intercept: 1),
    ]
  }
}
