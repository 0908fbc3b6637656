extension Loss {
  /// max(1 − y z, 0), y = ±1; one output a class makes it one-vs-rest
  public static let hinge = Loss(Hinge())
}

private struct Hinge: PiecewiseLoss {
  let name = "hinge"
  let largestCurvature = 1.0
  func atZero(outputs: Int) -> Double { Double(outputs) }

  func value(_ z: Double, _ y: Double) -> Double { max(1 - y * z, 0) }

  func slope(_ z: Float, _ y: Float) -> (value: Float, slope: Float) {
    let margin = 1 - y * z
    return margin > 0 ? (margin, -y) : (0, 0)
  }

  /// Beyond the kink, before it, or at it.
  func step(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
    let beyond = m - lambda / (2 * beta)
    let before = m + (y - lambda) / (2 * beta)
    return y * beyond >= 1 ? beyond : y * before <= 1 ? before : y
  }
}
