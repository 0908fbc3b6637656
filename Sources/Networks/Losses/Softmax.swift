import Glibc
import LinearAlgebra

extension Loss {
  /// log Σ_j e^(z_j) − z_c, the cross-entropy of the softmax; y is 1 at the class c and 0 elsewhere
  public static let softmax = Loss(Softmax())
}

/// log Σ_j e^(z_j) − ⟨y, z⟩.
private struct Softmax: JointLoss {
  let name = "softmax"
  let hasProbabilities = true
  let largestCurvature = 0.5
  func atZero(outputs: Int) -> Double { log(Double(outputs)) }

  /// The log-odds of p_k.
  func margin(_ z: UnsafePointer<Float>, of k: Int, outputs: Int) -> Float {
    guard outputs > 1 else { return k == 1 ? z[0] : -z[0] }
    return Float(Double(z[k]) - logSumExp(outputs, except: k) { Double(z[$0]) })
  }

  /// log p_c, p_c = e^(z_c) / Σ_j e^(z_j).
  func logProbability(_ z: UnsafePointer<Float>, of c: Int, outputs: Int) -> Double {
    if outputs == 1 { return logSigmoid(c == 1 ? Double(z[0]) : -Double(z[0])) }
    // Relative to z_c, so that equal outputs cancel exactly.
    return -logSumExp(outputs) { Double(z[$0]) - Double(z[c]) }
  }

  func value(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double {
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

  /// softmax(z) − y.
  func derivative(_ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double {
    var largest = z[0]
    for i in 1..<max(rows, 1) { largest = max(largest, z[i]) }
    var own: Float = 0
    for i in 0..<rows { own += y[i] * (z[i] - largest) }
    let shift = Lanes(repeating: largest)
    var total = Lanes.zero
    let whole = rows & ~(laneCount - 1)
    for i in stride(from: 0, to: whole, by: laneCount) {
      let p = Lanes.expOfNegative(Lanes(at: z + i) - shift)
      p.store(at: z + i)
      total += p
    }
    if whole < rows {
      let p = Lanes.expOfNegative(Lanes(at: z + whole) - shift)
      total += p.first(rows - whole)
      for i in whole..<rows { z[i] = p[i - whole] }
    }
    let sum = total.total
    for i in 0..<rows { z[i] = z[i] / sum - y[i] }
    return log(Double(sum)) - Double(own)
  }

  /// z ← argmin of log Σ e^(z_j) − ⟨y − λ, z⟩ + β ‖z − m‖² by Newton's method with step halving.
  ///
  /// The Hessian D − ppᵀ with D = diag(p) + 2βI is inverted by the formula of Sherman and Morrison.
  func minimise(
    _ z: UnsafeMutablePointer<Float>, _ m: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ lambda: UnsafePointer<Float>, _ beta: Double, _ rows: Int, _ scratch: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(scratch.count >= 4 * rows, "a scratch of \(scratch.count) numbers for \(rows) outputs")
    guard let room = scratch.baseAddress else { return }
    SoftmaxMinimum(m: m, y: y, lambda: lambda, beta: beta, rows: rows, room: room).find(z)
  }
}

/// The minimisation of log Σ e^(x_j) − ⟨y − λ, x⟩ + β ‖x − m‖² for one column.
private struct SoftmaxMinimum {
  private let m, y, lambda: UnsafePointer<Float>
  private let beta: Double
  private let rows: Int
  /// x, its softmax, Newton's direction, and a point along it.
  private let x, p, direction, trial: UnsafeMutablePointer<Double>

  init(
    m: UnsafePointer<Float>, y: UnsafePointer<Float>, lambda: UnsafePointer<Float>, beta: Double, rows: Int,
    room: UnsafeMutablePointer<Double>
  ) {
    (self.m, self.y, self.lambda) = (m, y, lambda)
    (self.beta, self.rows) = (beta, rows)
    (x, p, direction, trial) = (room, room + rows, room + 2 * rows, room + 3 * rows)
  }

  /// z ← the minimiser.
  func find(_ z: UnsafeMutablePointer<Float>) {
    for i in 0..<rows { x[i] = Double(m[i]) }
    var value = objective(x)
    for _ in 0..<50 {
      let (decrease, longest) = setDirection()
      let step = search(&value, decrease)
      if step * longest <= 1e-8 { break }
    }
    for i in 0..<rows { z[i] = Float(x[i]) }
  }

  /// The objective at `at`; leaves the softmax of `at` in p.
  private func objective(_ at: UnsafePointer<Double>) -> Double {
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

  /// direction = (D − ppᵀ)⁻¹ g = D⁻¹g + D⁻¹p (pᵀD⁻¹g) / (1 − pᵀD⁻¹p). Returns gᵀ direction and its largest entry.
  private func setDirection() -> (decrease: Double, longest: Double) {
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
    return (decrease, longest)
  }

  /// Goes along the direction, halving the step until the objective falls enough. Returns the step.
  private func search(_ value: inout Double, _ decrease: Double) -> Double {
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
    return step
  }
}
