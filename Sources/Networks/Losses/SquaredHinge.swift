extension Loss {
  /// max(1 − y z, 0)², y = ±1
  public static let squared_hinge = Loss(SquaredHinge())
}

private struct SquaredHinge: PiecewiseLoss {
  let name = "squared_hinge"
  let largestCurvature = 2.0
  func atZero(outputs: Int) -> Double { Double(outputs) }

  func value(_ z: Double, _ y: Double) -> Double { max(1 - y * z, 0) * max(1 - y * z, 0) }

  func slope(_ z: Float, _ y: Float) -> (value: Float, slope: Float) {
    let margin = max(1 - y * z, 0)
    return (margin * margin, -2 * y * margin)
  }

  /// Beyond the kink, else the parabola's.
  func step(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
    let beyond = m - lambda / (2 * beta)
    return y * beyond >= 1 ? beyond : (2 * y - lambda + 2 * beta * m) / (2 + 2 * beta)
  }
}
