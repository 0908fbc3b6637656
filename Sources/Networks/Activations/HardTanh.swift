extension Activation {
  /// z clamped to [−1, 1]
  public static let hard_tanh = Activation(PiecewiseLinear(HardTanh.self))
}

private enum HardTanh: PiecewiseShape {
  static let name = "hard_tanh"
  static var pieces: InlineArray<3, Piece> {
    [
      Piece(-.infinity, -1, slope: 0, intercept: -1), Piece(-1, 1, slope: 1, intercept: 0),
      Piece(1, .infinity, slope: 0, intercept: 1),
    ]
  }
}
