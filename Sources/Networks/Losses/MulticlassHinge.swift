extension Loss {
  /// max(0, 1 + max_{j ≠ c} z_j − z_c), the multi-class hinge of Crammer & Singer; y is 1 at the class c and 0
  /// elsewhere
  public static let multiclass_hinge = Loss(MulticlassHinge())
}

/// max(0, 1 + max_{j ≠ c} z_j − z_c).
private struct MulticlassHinge: JointLoss {
  let name = "multiclass_hinge"
  let largestCurvature = 1.0
  func atZero(outputs: Int) -> Double { 1 }

  /// What z_k is above the largest of the others.
  func margin(_ z: UnsafePointer<Float>, of k: Int, outputs: Int) -> Float {
    guard outputs > 1 else { return k == 1 ? z[0] : -z[0] }
    return z[k] - (0..<outputs).reduce(-.infinity) { $1 == k ? $0 : max($0, z[$1]) }
  }

  func value(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double {
    let c = ownClass(y, rows)
    var worst = 0.0
    for j in 0..<rows where j != c { worst = max(worst, 1 + Double(z[j]) - Double(z[c])) }
    return worst
  }

  /// +1 at the worst j and −1 at c, where the loss is positive.
  func derivative(_ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double {
    let c = ownClass(y, rows)
    var worst: Int? = nil
    for j in 0..<rows where j != c { if worst.map({ z[j] > z[$0] }) ?? true { worst = j } }
    let value = worst.map { 1 + z[$0] - z[c] } ?? 0
    for j in 0..<rows { z[j] = 0 }
    guard let worst, value > 0 else { return 0 }
    z[worst] = 1
    z[c] = -1
    return Double(value)
  }

  /// z ← argmin of max_j (z_j + [j ≠ c]) − z_c + ⟨z, λ⟩ + β ‖z − m‖².
  ///
  /// With x_j = z_j + [j ≠ c] it is the proximal step of a maximum: x = min(w, τ) for the w that holds all linear
  /// terms, and the τ with Σ (w_j − τ)₊ = 1/(2β), found by going down the sorted w.
  func minimise(
    _ z: UnsafeMutablePointer<Float>, _ m: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ lambda: UnsafePointer<Float>, _ beta: Double, _ rows: Int, _ scratch: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(scratch.count >= 2 * rows, "a scratch of \(scratch.count) numbers for \(rows) outputs")
    let c = ownClass(y, rows)
    let w = UnsafeMutableBufferPointer(rebasing: scratch[0..<rows])
    var sorted = UnsafeMutableBufferPointer(rebasing: scratch[rows..<2 * rows])
    for j in 0..<rows {
      w[j] = Double(m[j]) - Double(lambda[j]) / (2 * beta) + (j == c ? 1 / (2 * beta) : 1)
      sorted[j] = w[j]
    }
    sorted.sort(by: >)
    var sum = 0.0
    var threshold = -Double.infinity
    for k in 0..<rows {
      sum += sorted[k]
      threshold = (sum - 1 / (2 * beta)) / Double(k + 1)
      if k + 1 == rows || sorted[k + 1] <= threshold { break }
    }
    for j in 0..<rows { z[j] = Float(min(w[j], threshold) - (j == c ? 0 : 1)) }
  }

  private func ownClass(_ y: UnsafePointer<Float>, _ rows: Int) -> Int {
    (0..<rows).first { y[$0] > 0.5 } ?? 0
  }
}
