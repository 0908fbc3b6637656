extension Loss {
  /// (z − y)² for |z − y| ≤ 1, 2 |z − y| − 1 beyond
  public static let huber = Loss(Huber())
}

private struct Huber: PiecewiseLoss {
  let name = "huber"
  let largestCurvature = 2.0
  let isForRegression = true
  func atZero(outputs: Int) -> Double { Double(outputs) }

  func value(_ z: Double, _ y: Double) -> Double { abs(z - y) <= 1 ? (z - y) * (z - y) : 2 * abs(z - y) - 1 }

  func slope(_ z: Float, _ y: Float) -> (value: Float, slope: Float) {
    let distance = z - y
    return abs(distance) <= 1
      ? (distance * distance, 2 * distance) : (2 * abs(distance) - 1, distance > 0 ? 2 : -2)
  }

  /// The parabola's if within 1 of y, else that of the line on the same side.
  func step(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
    let inner = (2 * y - lambda + 2 * beta * m) / (2 + 2 * beta)
    if abs(inner - y) <= 1 { return inner }
    return m - (lambda + (inner > y ? 2 : -2)) / (2 * beta)
  }
}
