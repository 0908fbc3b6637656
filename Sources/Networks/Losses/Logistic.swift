import Glibc
import LinearAlgebra

extension Loss {
  /// log(1 + e^(−y z)), y = ±1; one output a class makes it one-vs-rest
  public static let logistic = Loss(Logistic())
}

/// log(1 + e^(−y z)), y = ±1.
private struct Logistic: EntryLoss {
  let name = "logistic"
  let hasProbabilities = true
  let largestCurvature = 0.25
  func atZero(outputs: Int) -> Double { log(2) * Double(outputs) }

  /// One output: p_1 = σ(z). One a class: p_c = σ(z_c) / Σ_j σ(z_j).
  func logProbability(_ z: UnsafePointer<Float>, of c: Int, outputs: Int) -> Double {
    if outputs == 1 { return logSigmoid(c == 1 ? Double(z[0]) : -Double(z[0])) }
    // Relative to class c, so that equal outputs cancel exactly.
    return -logSumExp(outputs) { logSigmoid(Double(z[$0])) - logSigmoid(Double(z[c])) }
  }

  func value(_ z: Double, _ y: Double) -> Double { max(-y * z, 0) + log1p(exp(-abs(y * z))) }

  func derivative(_ delta: MutableTile<Float>, _ y: Tile<Float>) -> Double {
    if delta.columns > 1 && delta.isOnePiece && y.isOnePiece { return derivative(delta.asColumn, y.asColumn) }
    var sum = 0.0
    for j in 0..<delta.columns { sum += derivative(delta.column(j), y.column(j), delta.rows) }
    return sum
  }

  private func derivative(_ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double
  {
    var sum = 0.0
    let whole = rows & ~(laneCount - 1)
    for i in stride(from: 0, to: whole, by: laneCount) {
      let (value, slope) = lanes(Lanes(at: z + i), Lanes(at: y + i))
      sum += Double(value.first(laneCount).total)
      slope.store(at: z + i)
    }
    if whole < rows {
      let (value, slope) = lanes(Lanes(at: z + whole), Lanes(at: y + whole))
      sum += Double(value.first(rows - whole).total)
      for i in whole..<rows { z[i] = slope[i - whole] }
    }
    return sum
  }

  /// With t = −y z and u = e^(−|t|) the loss is max(t, 0) + log(1 + u), and its derivative −y σ(t).
  @inline(__always)
  private func lanes(_ z: Lanes, _ y: Lanes) -> (value: Lanes, slope: Lanes) {
    let t = Lanes.zero - y * z
    let u = Lanes.expOfNegative(.min(t, Lanes.zero - t))
    let one = Lanes(repeating: 1)
    let sigmoid = Lanes.whereLess(t, .zero, u, else: one) / (one + u)
    return (Lanes.max(t, .zero) + .logOfOnePlus(u), Lanes.zero - y * sigmoid)
  }

  func step(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float {
    Float(step(Double(m), Double(y), Double(lambda), Double(beta)))
  }

  /// By Newton's method inside a bracket: the derivative rises and lies between λ + 2β(z − m) − 1 and the same + 1.
  private func step(_ m: Double, _ y: Double, _ lambda: Double, _ beta: Double) -> Double {
    let center = m - lambda / (2 * beta)
    var low = center - (y > 0 ? 0 : 1) / (2 * beta)
    var high = center + (y > 0 ? 1 : 0) / (2 * beta)
    var z = (low + high) / 2
    for _ in 0..<60 {
      let p = 1 / (1 + exp(y * z))
      let slope = -y * p + lambda + 2 * beta * (z - m)
      if slope > 0 { high = z } else { low = z }
      let newton = z - slope / (p * (1 - p) + 2 * beta)
      let next = newton > low && newton < high ? newton : (low + high) / 2
      let moved = abs(next - z)
      z = next
      if moved <= 1e-9 * max(1, abs(z)) { break }
    }
    return z
  }
}
