import Definitions
import Glibc
import LinearAlgebra
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Every loss of the list against its definition.
@Suite struct LossTests {
  @Test func everyLossHasAName() {
    #expect(Set(Loss.allCases.map(\.rawValue)).count == Loss.allCases.count)
    for loss in Loss.allCases {
      #expect(Loss(rawValue: loss.rawValue) == loss && loss.description == loss.rawValue)
    }
    #expect(Loss(rawValue: "zero_one") == nil && Loss.hinge != .squared_hinge)
  }

  /// Outputs of four rows, the last column far out, where an exponential would overflow; and targets.
  private func sample(_ loss: Loss) -> (z: [[Double]], y: [[Double]]) {
    var random = SeededGenerator(seed: 77)
    let (own, other) = loss.classTargets
    var (z, y) = ([[Double]](), [[Double]]())
    for n in 0..<50 {
      let c = Int.random(in: 0..<4, using: &random)
      z.append((0..<4).map { n == 49 ? ($0 % 2 == 0 ? 300 : -300) : Double(Float(4 * random.normal())) })
      y.append(
        (0..<4).map {
          loss.isForRegression ? Double(Float(2 * random.normal())) : Double($0 == c ? own : other)
        })
    }
    return (z, y)
  }

  private func matrix(_ columns: [[Double]]) -> Matrix<Float> {
    Matrix(rows: columns[0].count, columns.flatMap { $0.map(Float.init) })
  }

  @Test(arguments: Loss.allCases)
  func values(loss: Loss) {
    let (z, y) = sample(loss)
    let expected = zip(z, y).reduce(0.0) { $0 + plain(loss, $1.0, $1.1) }
    // By name: a temporary would be gone before its entries are read.
    let outputs = matrix(z)
    let targets = matrix(y)
    let own = loss.value(outputs.all, y: targets.all)
    #expect(abs(own - expected) <= 1e-12 * expected)
  }

  @Test(arguments: Loss.allCases)
  func slopes(loss: Loss) {
    let (z, y) = sample(loss)
    var delta = matrix(z)
    let targets = matrix(y)
    let total = loss.derivative(delta.mutableAll, y: targets.all)
    let expected = zip(z, y).reduce(0.0) { $0 + plain(loss, $1.0, $1.1) }
    #expect(abs(total - expected) <= 1e-6 * expected)
    for n in z.indices where distanceFromKinks(loss, z[n], y[n]) > 1e-6 {
      for (i, slope) in plainSlope(loss, z[n], y[n]).enumerated() {
        #expect(abs(Double(delta[i, n]) - slope) <= 1e-6 * max(1, abs(slope)), "(\(i), \(n)) at \(z[n])")
      }
    }
  }

  /// What bounds the steps of a method, and what an untrained network has.
  @Test(arguments: Loss.allCases)
  func curvatureAndStart(loss: Loss) {
    if isSmooth(loss) {
      var largest = 0.0
      let (z, y) = sample(loss)
      for n in 0..<49 {
        for i in 0..<4 {
          var (up, down) = (z[n], z[n])
          up[i] += 1e-3
          down[i] -= 1e-3
          largest = max(largest, (plainSlope(loss, up, y[n])[i] - plainSlope(loss, down, y[n])[i]) / 2e-3)
        }
      }
      #expect(largest <= loss.largestCurvature * 1.001 && largest > 0.3 * loss.largestCurvature)
    }
    for outputs in loss.isJoint ? [2, 5] : [1, 5] {
      let (own, other) = loss.classTargets
      let y = (0..<outputs).map { Double($0 == 0 ? own : other) }
      let atZero = plain(loss, [Double](repeating: 0, count: outputs), y)
      #expect(abs(loss.atZero(outputs: outputs) - atZero) < 1e-12)
    }
  }

  @Test(arguments: Loss.allCases.filter(\.hasProbabilities))
  func probabilities(loss: Loss) {
    for z: [Double] in [[0.5], [-3], [1, 2], [-4, 0, 3], [0.25, 0.25, 0.25, 8]] {
      let outputs = z.map(Float.init)
      for (c, p) in plainProbabilities(loss, z).enumerated() {
        let own = loss.logProbability(outputs, of: c, outputs: z.count)
        #expect(abs(own - log(p)) <= 1e-12 * max(1, abs(log(p))), "class \(c) at \(z)")
      }
    }
    // Far out there is no overflow.
    #expect(loss.logProbability([800, -800, 0], of: 1, outputs: 3).isFinite)
  }

  /// The larger a margin, the more the outputs speak for the class: what they decide for has the largest.
  @Test(arguments: Loss.allCases.filter { !$0.isForRegression })
  func margins(loss: Loss) {
    for z: [Float] in [[0.5], [-3], [1, 2], [2, -1], [-4, 0, 3], [0.25, -7, 8, 7.5]] {
      let classes = max(z.count, 2)
      let decision = z.count == 1 ? (z[0] > 0 ? 1 : 0) : z.indices.max { z[$0] < z[$1] } ?? 0
      if classes == 2 {
        #expect((loss.margin(z, of: 1, outputs: z.count) > 0) == (decision == 1), "\(z)")
      } else {
        let margins = (0..<classes).map { loss.margin(z, of: $0, outputs: z.count) }
        #expect(margins.indices.max { margins[$0] < margins[$1] } == decision, "\(z)")
      }
    }
  }
}
