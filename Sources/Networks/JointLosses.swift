import Glibc

/// The last layer's update for the softmax's cross-entropy, a column at a time.
enum SoftmaxStep {
  /// log Σ_j e^(z_j) − ⟨y, z⟩.
  static func value(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double {
    var largest = Double(z[0])
    for i in 1..<max(rows, 1) { largest = max(largest, Double(z[i])) }
    var sum = 0.0
    var own = 0.0
    for i in 0..<rows {
      sum += exp(Double(z[i]) - largest)
      own += Double(y[i]) * (Double(z[i]) - largest)
    }
    return log(sum) - own
  }

  /// z ← argmin of log Σ e^(z_j) − ⟨y − λ, z⟩ + β ‖z − m‖² by Newton's method with step halving.
  ///
  /// The Hessian D − ppᵀ with D = diag(p) + 2βI is inverted by the formula of Sherman and Morrison.
  static func minimise(
    _ z: UnsafeMutablePointer<Float>, _ m: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ lambda: UnsafePointer<Float>, _ beta: Double, _ rows: Int, _ scratch: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(scratch.count >= 4 * rows, "a scratch of \(scratch.count) numbers for \(rows) outputs")
    guard let x = scratch.baseAddress else { return }
    let (p, direction, trial) = (x + rows, x + 2 * rows, x + 3 * rows)

    /// The objective at `at`; leaves the softmax of `at` in p.
    func objective(_ at: UnsafePointer<Double>) -> Double {
      var largest = at[0]
      for i in 1..<max(rows, 1) { largest = max(largest, at[i]) }
      var sum = 0.0
      var rest = 0.0
      for i in 0..<rows {
        p[i] = exp(at[i] - largest)
        sum += p[i]
        let distance = at[i] - Double(m[i])
        rest += (Double(lambda[i]) - Double(y[i])) * at[i] + beta * distance * distance
      }
      for i in 0..<rows { p[i] /= sum }
      return log(sum) + largest + rest
    }

    for i in 0..<rows { x[i] = Double(m[i]) }
    var value = objective(x)
    for _ in 0..<50 {
      // direction = (D − ppᵀ)⁻¹ g = D⁻¹g + D⁻¹p (pᵀD⁻¹g) / (1 − pᵀD⁻¹p)
      var pg = 0.0
      var pp = 0.0
      for i in 0..<rows {
        let gradient = p[i] - Double(y[i]) + Double(lambda[i]) + 2 * beta * (x[i] - Double(m[i]))
        let d = p[i] + 2 * beta
        direction[i] = gradient / d
        pg += p[i] * direction[i]
        pp += p[i] * p[i] / d
      }
      var decrease = 0.0
      var longest = 0.0
      for i in 0..<rows {
        let gradient = direction[i] * (p[i] + 2 * beta)
        direction[i] += p[i] / (p[i] + 2 * beta) * pg / (1 - pp)
        decrease += gradient * direction[i]
        longest = max(longest, abs(direction[i]))
      }
      var step = 1.0
      var next = value
      while true {
        for i in 0..<rows { trial[i] = x[i] - step * direction[i] }
        next = objective(trial)
        if next <= value - 1e-4 * step * decrease || step < 1e-6 { break }
        step /= 2
      }
      for i in 0..<rows { x[i] = trial[i] }
      value = next
      if step * longest <= 1e-8 { break }
    }
    for i in 0..<rows { z[i] = Float(x[i]) }
  }
}

/// The last layer's update for the multi-class hinge of Crammer & Singer, a column at a time.
enum MulticlassHingeStep {
  /// max(0, 1 + max_{j ≠ c} z_j − z_c).
  static func value(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double {
    let c = ownClass(y, rows)
    var worst = 0.0
    for j in 0..<rows where j != c { worst = max(worst, 1 + Double(z[j]) - Double(z[c])) }
    return worst
  }

  /// z ← argmin of max_j (z_j + [j ≠ c]) − z_c + ⟨z, λ⟩ + β ‖z − m‖².
  ///
  /// With x_j = z_j + [j ≠ c] it is the proximal step of a maximum: x = min(w, τ) for the w that holds all linear terms, and the τ
  /// with Σ (w_j − τ)₊ = 1/(2β), found by going down the sorted w.
  static func minimise(
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

  private static func ownClass(_ y: UnsafePointer<Float>, _ rows: Int) -> Int {
    (0..<rows).first { y[$0] > 0.5 } ?? 0
  }
}
