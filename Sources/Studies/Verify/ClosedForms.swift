import Definitions
import Glibc
import LinearAlgebra
import Networks
import Reports

// Closed forms against brute force: a search on grids that knows the definitions of h and ℓ and nothing else. Local
// work, the same on every rank: a rank with another BLAS kernel or a broken vector unit shows.

/// z ← argmin of γ (a − h(z))² + β (z − m)², as `Activation.minimise`.
package typealias HiddenStep =
  @Sendable (
    _ h: Activation, _ z: MutableTile<Float>, _ a: Tile<Float>, _ beta: Float, _ gamma: Float
  ) -> Void

/// z ← argmin of ℓ(z, y) + ⟨z, λ⟩ + β ‖z − m‖², as `Loss.minimise`.
package typealias OutputStep =
  @Sendable (
    _ loss: Loss, _ z: MutableTile<Float>, _ m: Tile<Float>, _ y: Tile<Float>, _ lambda: Tile<Float>,
    _ beta: Float
  ) -> Void

private let arithmeticAdvice =
  "This host computes wrongly, or the program was built for another processor: build it there again (ARCH), compare "
  + "with another host, and leave this one out."

extension Check {
  /// h itself, and the update of z_l, for every activation.
  ///
  /// - Parameter step: what is looked at; z has m on entry.
  package static func activations(
    _ step: @escaping HiddenStep = { h, z, a, beta, gamma in
      h.minimise(z, m: Tile(z), a: a, beta: beta, gamma: gamma)
    }
  ) -> Check {
    Check(name: "activations", advice: arithmeticAdvice) { site, _ in
      let draws = site.isQuick ? 6 : 40
      for activation in Activation.allCases {
        if let fault = applyFault(activation) ?? stepFault(activation, draws, step) { return .fault(fault) }
      }
      return .sound("\(Activation.allCases.count) activations and their updates agree with a search")
    }
  }

  /// ℓ, its derivative, and the update of z_L, for every loss.
  package static func losses(
    _ step: @escaping OutputStep = { loss, z, m, y, lambda, beta in
      var scratch = Matrix<Double>(rows: 4 * z.rows, columns: 1)
      loss.minimise(z, m: m, y: y, lambda: lambda, beta: beta, scratch: scratch.mutableElements)
    }
  ) -> Check {
    Check(name: "losses", advice: arithmeticAdvice) { site, _ in
      let draws = site.isQuick ? 4 : 20
      for loss in Loss.allCases {
        for draw in 0..<draws {
          let sample = LossSample(loss, draw)
          if let fault = sample.derivativeFault() ?? sample.stepFault(step) { return .fault(fault) }
        }
      }
      return .sound("\(Loss.allCases.count) losses, their derivatives and updates agree with a search")
    }
  }
}

// MARK: Activations

/// What is wrong with a ← h(z).
private func applyFault(_ activation: Activation) -> String? {
  let plain = plain(activation)
  var z = Matrix<Float>(rows: 16, columns: 16)
  for k in 0..<z.count { z.mutableBase[k] = 0.08 * (Float(k) - 128) }
  var a = Matrix<Float>(rows: 16, columns: 16)
  activation.apply(a.mutableAll, z.all)
  for k in 0..<z.count {
    let right = plain.h(Double(z.base[k]))
    let unit = Double(max(Float(right).ulp, 1e-30))
    guard abs(Double(a.base[k]) - right) <= (plain.ulps + 1) * unit else {
      return "\(activation) of \(z.base[k]) is \(a.base[k]) here, and should be \(general(right, 9))"
    }
  }
  return nil
}

/// What is wrong with the update of z_l.
private func stepFault(_ activation: Activation, _ draws: Int, _ step: HiddenStep) -> String? {
  let plain = plain(activation)
  var random = Draws(seed: 17)
  for _ in 0..<draws {
    let (beta, gamma) = (Float(pow(10, random.uniform(-2, 2))), Float(pow(10, random.uniform(-2, 2))))
    var m = Matrix<Float>(rows: 16, columns: 1)
    var a = Matrix<Float>(rows: 16, columns: 1)
    for i in 0..<16 {
      m[i, 0] = i < 3 ? Float(i - 1) : Float(3 * random.normal())
      a[i, 0] = i < 3 ? 0 : Float(3 * random.normal())
    }
    var z = m.copy()
    step(activation, z.mutableAll, a.all, beta, gamma)
    for i in 0..<16 {
      let (a, m, beta, gamma) = (Double(a[i, 0]), Double(m[i, 0]), Double(beta), Double(gamma))
      func value(_ z: Double) -> Double { gamma * pow(a - plain.h(z), 2) + beta * pow(z - m, 2) }
      let (own, best) = (
        Double(z[i, 0]), search(from: [m], reach: 3 * (abs(a) + abs(m) + 1)) { value($0[0]) }
      )
      // What h is off in single precision.
      let error = plain.ulps * Double(Float(plain.h(own)).ulp)
      let slack =
        1e-6 * value(own) + 1e-10 * (gamma * (1 + a * a) + beta * m * m) + 2 * gamma * abs(a - plain.h(own))
        * error
      guard value(own) <= best.value + slack else {
        return
          "the update of \(activation) gives z = \(z[i, 0]) with \(value(own)), \(best.point[0]) has \(best.value)"
      }
    }
  }
  return nil
}

// MARK: Losses

/// Outputs, targets and multipliers of one sample.
private struct LossSample: ~Copyable {
  let loss: Loss
  let rows: Int
  let beta: Float
  var m, y, lambda: Matrix<Float>

  init(_ loss: Loss, _ draw: Int) {
    var random = Draws(seed: UInt64(100 + draw))
    rows = loss.isJoint ? 3 : 4
    beta = Float(pow(10, random.uniform(-1.5, 1.5)))
    m = Matrix(rows: rows, columns: 1)
    y = Matrix(rows: rows, columns: 1)
    lambda = Matrix(rows: rows, columns: 1)
    self.loss = loss
    let own = random.index(rows)
    for i in 0..<rows {
      let (mine, other) = loss.classTargets
      y[i, 0] = loss.isForRegression ? Float(random.normal()) : i == own ? mine : other
      m[i, 0] = Float((draw % 4 == 3 ? 10 : 2) * random.normal())
      lambda[i, 0] = draw % 2 == 0 ? 0 : Float(random.normal())
    }
  }

  private func doubles(_ x: borrowing Matrix<Float>) -> [Double] { x.elements.map(Double.init) }

  /// What is wrong with ℓ and ∂ℓ/∂z at m, by differences of the definition on either side.
  func derivativeFault() -> String? {
    let (m, y) = (doubles(m), doubles(y))
    var delta = self.m.copy()
    let value = loss.derivative(delta.mutableAll, y: self.y.all)
    let right = plain(loss, m, y)
    guard abs(value - right) <= 1e-5 * (1 + right),
      abs(loss.value(self.m.all, y: self.y.all) - right) <= 1e-9 * (1 + right)
    else { return "the \(loss) loss is \(value) here, and should be \(right)" }
    let h = 1e-5
    for i in m.indices {
      func moved(_ step: Double) -> Double {
        var z = m
        z[i] += step
        return plain(loss, z, y)
      }
      let (below, above) = ((right - moved(-h)) / h, (moved(h) - right) / h)
      let (low, high) = (min(below, above) - 1e-4, max(below, above) + 1e-4)
      let slack = 1e-4 * abs(below)
      guard (low - slack...high + slack).contains(Double(delta[i, 0])) else {
        return "the derivative of the \(loss) loss is \(delta[i, 0]) here, and should be \(below)"
      }
    }
    return nil
  }

  /// What is wrong with the update of z_L.
  func stepFault(_ step: OutputStep) -> String? {
    var z = Matrix<Float>(rows: rows, columns: 1)
    step(loss, z.mutableAll, m.all, y.all, lambda.all, beta)
    let (z0, m0, y0, lambda0, beta) = (doubles(z), doubles(m), doubles(y), doubles(lambda), Double(beta))
    // A loss that is a sum over outputs is looked at one by one.
    for part in loss.isJoint ? [Array(0..<rows)] : (0..<rows).map({ [$0] }) {
      let (z, m, y, lambda) = (
        part.map { z0[$0] }, part.map { m0[$0] }, part.map { y0[$0] }, part.map { lambda0[$0] }
      )
      func value(_ z: [Double]) -> Double {
        z.indices.reduce(plain(loss, z, y)) { $0 + lambda[$1] * z[$1] + beta * pow(z[$1] - m[$1], 2) }
      }
      let pull = lambda.reduce(2) { max($0, abs($1)) } / beta
      let best = search(
        from: m, reach: 2 + pull + 2 * zip(m, y).reduce(0) { max($0, abs($1.0 - $1.1)) }, value)
      let scale = z.indices.reduce(1 + plain(loss, z, y)) { sum, i in
        sum + abs(z[i]) * (1 + abs(lambda[i])) + beta * pow(z[i] - m[i], 2)
      }
      guard value(z) <= best.value + 1e-6 * scale else {
        return "the update of the \(loss) loss gives \(z) with \(value(z)), \(best.point) has \(best.value)"
      }
    }
    return nil
  }
}

// MARK: Brute force

/// The lowest of all points of a fine grid, then of ever finer ones around the best so far.
private func search(
  from start: [Double], reach: Double, _ f: ([Double]) -> Double
) -> (value: Double, point: [Double]) {
  let isLine = start.count == 1
  var best = (value: f(start), point: start)
  var reach = reach
  for level in 0..<(isLine ? 16 : 30) {
    let half = isLine ? (level == 0 ? 400 : 8) : 3
    let (centre, side) = (best.point, 2 * half + 1)
    var point = centre
    for k in 0..<(0..<centre.count).reduce(1, { count, _ in count * side }) {
      var rest = k
      for i in centre.indices {
        point[i] = centre[i] + reach * Double(rest % side - half) / Double(half)
        rest /= side
      }
      let value = f(point)
      if value < best.value { best = (value, point) }
    }
    reach *= isLine ? 2 / Double(half) : 0.6
  }
  return best
}
