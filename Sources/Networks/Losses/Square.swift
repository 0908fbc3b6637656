extension Loss {
  /// (z − y)²
  public static let square = Loss(Square())
}

private struct Square: PiecewiseLoss {
  let name = "square"
  let largestCurvature = 2.0
  let isForRegression = true
  func atZero(outputs: Int) -> Double { Double(outputs) }

  func value(_ z: Double, _ y: Double) -> Double { (z - y) * (z - y) }

  func slope(_ z: Float, _ y: Float) -> (value: Float, slope: Float) {
    ((z - y) * (z - y), 2 * (z - y))
  }

  func step(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
    (2 * y - lambda + 2 * beta * m) / (2 + 2 * beta)
  }
}
