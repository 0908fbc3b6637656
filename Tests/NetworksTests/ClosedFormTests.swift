import Definitions
import Glibc
import LinearAlgebra
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Every closed form is at least as good as 10,000 random and grid points and the kinks, for random settings.
@Suite struct ClosedFormTests {
  // MARK: Hidden layers

  @Test(arguments: Activation.allCases, 0..<30)
  func hiddenOutputs(activation: Activation, seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let beta = Float(pow(10, Double.random(in: -2...2, using: &random)))
    let gamma = Float(pow(10, Double.random(in: -2...2, using: &random)))
    expectLowest(activation, beta: beta, gamma: gamma, &random)
  }

  @Test(arguments: Activation.allCases, [-8, -6, 6, 8])
  func hiddenOutputsOfVeryDifferentPenalties(activation: Activation, magnitude: Int) {
    var random = SeededGenerator(seed: UInt64(100 + magnitude))
    for _ in 0..<4 {
      let root = Float(pow(10, Double(magnitude) / 2))
      expectLowest(activation, beta: 1 / root, gamma: root, &random)
    }
  }

  private func expectLowest(
    _ activation: Activation, beta: Float, gamma: Float, _ random: inout SeededGenerator
  ) {
    // Kinks and flat places among the values, and a tile inside a larger matrix.
    let special: [Float] = [0, 1, -1, 0.5, 2]
    let a = Matrix<Float>(rows: 16, columns: 5) { i, j in
      j == 0 && i < 5 ? special[i] : Float(3 * random.normal())
    }
    let m = Matrix<Float>(rows: 16, columns: 5) { i, j in
      j == 1 && i < 5 ? special[4 - i] : Float(3 * random.normal())
    }
    var z = m.copy()
    let tile = z.mutableColumns(0..<4).rows(0..<5)
    activation.minimise(
      tile, m: Tile(tile), a: a.columns(0..<4).rows(0..<5), beta: beta, gamma: gamma)
    let plain = plain(activation)
    for j in 0..<4 {
      #expect(z[j, 4] == m[j, 4], "beyond the tile")
      for i in 0..<5 {
        let (best, a, m) = (Double(z[i, j]), Double(a[i, j]), Double(m[i, j]))
        func value(_ z: Double) -> Double {
          Double(gamma) * pow(a - plain.h(z), 2) + Double(beta) * pow(z - m, 2)
        }
        let reach = 3 * (abs(a) + abs(m) + 1)
        let own = value(best)
        // What h is off in single precision.
        let error = plain.ulps * Double(Float(plain.h(best)).ulp)
        let slack =
          1e-6 * own + 1e-10 * (Double(gamma) * (1 + a * a) + Double(beta) * m * m)
          + 2 * Double(gamma) * abs(a - plain.h(best)) * error
        var lowest = (plain.kinks + [m, a]).map { (value($0), $0) }.min { $0 < $1 } ?? (.infinity, 0)
        for k in 0..<10_000 {
          let point =
            switch k % 4 {
            case 0, 1: reach * (Double(k) / 5000 - 1)
            case 2: reach * random.normal()
            default: best + reach * pow(10, Double.random(in: -6...0, using: &random)) * random.normal()
            }
          let there = value(point)
          if there < lowest.0 { lowest = (there, point) }
        }
        #expect(
          own <= lowest.0 + slack,
          "z = \(best) has \(own), \(lowest.1) has \(lowest.0); a = \(a), m = \(m), β = \(beta), γ = \(gamma)"
        )
      }
    }
  }

  /// Of two pieces with the same value the one that contains m wins: γ = 3, β = 1, a = 1, m = −1 makes 3 at −1 and
  /// at 1/2.
  @Test func tiesStayWhereTheyAre() {
    let a = Matrix<Float>(rows: 16, columns: 1) { _, _ in 1 }
    var z = Matrix<Float>(rows: 16, columns: 1) { _, _ in -1 }
    Activation.relu.minimise(z.mutableRows(0..<1), m: z.rows(0..<1), a: a.rows(0..<1), beta: 1, gamma: 3)
    #expect(z[0, 0] == -1)
  }

  // MARK: The last layer

  @Test(arguments: Loss.allCases, 0..<12)
  func lastOutputs(loss: Loss, seed: Int) {
    var random = SeededGenerator(seed: UInt64(1000 + seed))
    let rows = loss.isJoint ? [2, 3, 10][seed % 3] : [1, 3][seed % 2]
    let beta = Float(pow(10, Double.random(in: -2...2, using: &random)))
    let sample = LastLayerSample(loss, rows: rows, columns: 5, random: &random)
    var z = Matrix<Float>(rows: rows, columns: 5)
    var scratch = Matrix<Double>(rows: 4 * rows, columns: 1)
    loss.minimise(
      z.mutableAll, m: sample.m.all, y: sample.y.all, lambda: sample.lambda.all, beta: beta,
      scratch: scratch.mutableElements)
    for j in 0..<5 {
      let best = (0..<rows).map { Double(z[$0, j]) }
      let m = (0..<rows).map { Double(sample.m[$0, j]) }
      let y = (0..<rows).map { Double(sample.y[$0, j]) }
      let lambda = (0..<rows).map { Double(sample.lambda[$0, j]) }
      func value(_ z: [Double]) -> (value: Double, scale: Double) {
        var value = plain(loss, z, y)
        var scale = value
        for i in 0..<rows {
          let penalty = Double(beta) * pow(z[i] - m[i], 2)
          value += z[i] * lambda[i] + penalty
          scale += abs(z[i]) * (1 + abs(lambda[i])) + penalty
        }
        return (value, scale)
      }
      let own = value(best)
      var points = [m, y, y.map { 2 * $0 }, m.map { _ in 0 }]
      // Along the coordinates on a grid, then at random from coarse to fine, in one coordinate or in all.
      for k in 0..<10_000 {
        var point = best
        if k % 4 == 0 {
          point[k / 4 % rows] = Double(k - 5000) / 500
        } else {
          let step = pow(10, Double.random(in: -6...1, using: &random))
          for i in 0..<rows where k % 4 == 1 || i == k / 4 % rows { point[i] += step * random.normal() }
        }
        points.append(point)
      }
      var lowest = (Double.infinity, best)
      for point in points {
        let there = value(point).value
        if there < lowest.0 { lowest = (there, point) }
      }
      #expect(
        own.value <= lowest.0 + 1e-6 * own.scale,
        "z = \(best) has \(own.value), \(lowest.1) has \(lowest.0); m = \(m), y = \(y), λ = \(lambda), β = \(beta)"
      )
      expectZeroGradient(loss, best, m, y, lambda, Double(beta))
    }
  }

  /// Where the loss is smooth, its derivative cancels λ + 2β(z − m): much finer than a comparison of values.
  private func expectZeroGradient(
    _ loss: Loss, _ z: [Double], _ m: [Double], _ y: [Double], _ lambda: [Double], _ beta: Double
  ) {
    guard isSmooth(loss) else { return }
    for (i, slope) in plainSlope(loss, z, y).enumerated() {
      let gradient = slope + lambda[i] + 2 * beta * (z[i] - m[i])
      let scale = 1 + abs(slope) + abs(lambda[i]) + 2 * beta * (abs(z[i]) + abs(m[i]))
      #expect(abs(gradient) <= 1e-6 * scale, "slope \(gradient) at \(z[i]), row \(i)")
    }
  }

  /// The first column lies on the kinks: m = y, no multiplier. The second has no multiplier, the last is far out.
  private struct LastLayerSample: ~Copyable {
    var m, y, lambda: Matrix<Float>

    init(_ loss: Loss, rows: Int, columns: Int, random: inout SeededGenerator) {
      y = Matrix(rows: rows, columns: columns)
      m = Matrix(rows: rows, columns: columns)
      lambda = Matrix(rows: rows, columns: columns)
      for j in 0..<columns {
        let own = Int.random(in: 0..<rows, using: &random)
        for i in 0..<rows {
          if loss.isForRegression {
            y[i, j] = Float(2 * random.normal())
          } else if loss.isJoint {
            y[i, j] = i == own ? 1 : 0
          } else {
            y[i, j] = Bool.random(using: &random) ? 1 : -1
          }
          m[i, j] = j == 0 ? y[i, j] : Float((j == columns - 1 ? 30 : 2) * random.normal())
          lambda[i, j] = j < 2 ? 0 : Float(random.normal())
        }
      }
    }
  }
}
