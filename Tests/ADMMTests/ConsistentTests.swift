import ADMM
import CCounters
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

/// ADMM with a multiplier on every constraint.
@Suite(.serialized) struct ConsistentTests {
  struct Case: CustomStringConvertible, Sendable {
    var widths: [Int]
    var samples = 150
    var loss: Loss
    var activation = Activation.relu
    var bias = true
    var threads = 1
    var isSafe = true

    var description: String {
      "\(widths) \(loss) \(activation)\(bias ? "" : " no bias")\(isSafe ? "" : " no safeguard") \(threads) threads"
    }
  }

  private struct Input: Encodable {
    let a0, y: [[Double]]
    let activation, loss: String
    let bias: Bool
    let W: [[[Double]]]
    let beta, l2, proximal, momentum: Double
    let safeguard: Bool
    let sweeps: [Int]
  }

  private struct Report: Decodable {
    let W: [[[Double]]]
    let objective, residual: Double
  }

  static let cases = [
    Case(widths: [5, 7, 1], loss: .hinge),
    Case(widths: [5, 20, 1], loss: .logistic, threads: 3),
    Case(widths: [5, 9, 3], loss: .softmax, activation: .hard_tanh),
    Case(widths: [4, 18, 2], loss: .square, bias: false),
    Case(widths: [6, 9, 5, 20, 3], loss: .softmax),
    Case(widths: [6, 20, 17, 4, 1], loss: .hinge, activation: .hard_tanh, bias: false),
    Case(widths: [4, 6, 5, 7, 2], loss: .logistic, activation: .hard_tanh, isSafe: false),
    Case(widths: [4, 6, 19, 7, 18], loss: .logistic, threads: 2),
    Case(widths: [6, 1], loss: .hinge),
    Case(widths: [6, 19], loss: .logistic),
  ]

  /// Ten sweeps against `consistent.py`, which lies beside this file: double precision, no code in common.
  ///
  /// Two sweeps differ by what single precision rounds; the later ones by what the iteration makes of it.
  @Test(.enabled(if: Python.isAvailable, "\(Python.howToInstall)"), arguments: cases)
  func tenSweepsAreThoseOfTheReference(net: Case) throws {
    let network = Network(widths: net.widths, activation: net.activation, loss: net.loss, bias: net.bias)
    let problem = Problem(network, samples: net.samples, seed: 40, chunk: 16)
    var settings = ConsistentSettings()
    settings.l2 = 0.02
    settings.safeguard = net.isSafe
    // Of the square loss, of a curvature that is eight times the logistic's, these few samples make steps too long.
    if net.loss == .square { settings.momentum = 0.3 }
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try ConsistentTaylor.start(
        network, settings, a0: part.a0.all, y: part.y.all, partition: part.partition, threads: net.threads,
        over: ranks)
      let input = Input(
        a0: problem.features, y: problem.targets, activation: net.activation.rawValue,
        loss: net.loss.rawValue,
        bias: net.bias, W: weights(method), beta: settings.beta, l2: 0.02, proximal: settings.proximal,
        momentum: settings.momentum, safeguard: settings.safeguard, sweeps: [1, 2, 5, 10])
      let reports: [Report] = try Python.run(
        script: "Tests/ADMMTests/consistent.py", input: input, over: ranks)
      for (sweeps, report) in zip(input.sweeps, reports) {
        while method.sweeps < sweeps { try method.sweep(over: ranks) }
        let bound = sweeps <= 2 ? 1e-5 : 1e-3
        for (l, (own, other)) in zip(weights(method), report.W).enumerated() {
          let distance = relativeDistance(own, other)
          #expect(distance <= bound, "W_\(l + 1) after \(sweeps) sweeps is off by \(distance)")
        }
        let progress = try method.progress(over: ranks)
        let objective = progress.objective / Double(net.samples)
        #expect(
          abs(objective - report.objective) <= bound * max(1, report.objective),
          "after \(sweeps) sweeps: \(objective), expected \(report.objective)")
        let residual = progress.activationResidual ?? 0
        #expect(
          abs(residual - report.residual) <= bound * max(0.1, report.residual),
          "after \(sweeps) sweeps: residual \(residual), expected \(report.residual)")
      }
    }
  }

  /// Without a hidden layer, multipliers end at minus the loss's derivative over 2 β, and the weights where the gradient is 0.
  @Test func withoutHiddenLayersItEndsAtTheOptimum() throws {
    let convex = LogisticProblem(samples: 200, l2: 0.02, seed: 41)
    let optimum = convex.optimum()
    try TestWorld.with { ranks in
      let part = convex.problem.part(of: ranks)
      var settings = ConsistentSettings()
      settings.l2 = convex.l2
      var method = try ConsistentTaylor.start(
        convex.problem.network, settings, a0: part.a0.all, y: part.y.all, partition: part.partition,
        over: ranks)
      for _ in 0..<400 { try method.sweep(over: ranks) }
      let distance = relativeDistance(weights(method)[0], [optimum])
      #expect(distance < 1e-4, "off by \(distance)")
    }
  }
}

/// W_1 … W_L of a method, as rows.
func weights<Method: TrainingMethod & ~Copyable>(_ method: borrowing Method) -> [[[Double]]] {
  let L = method.network.L
  return method.withWeights { W in (1...L).map { l in W[l].all.nested.map { $0.map(Double.init) } } }
}

/// Logistic regression with L2, which has one optimum: in double precision, one number at a time.
struct LogisticProblem: Sendable {
  let problem: Problem
  let l2: Double

  /// - Parameter wrong: how many of the samples, the first ones, have the wrong label.
  init(samples: Int, wrong: Int = 0, l2: Double, seed: UInt64) {
    let network = Network(widths: [5, 1], activation: .relu, loss: .logistic, bias: true)
    problem = Problem(network, samples: samples, seed: seed, chunk: 8).negated(0..<wrong)
    self.l2 = l2
  }

  private func inputs(_ n: Int) -> [Double] { problem.features.map { $0[n] } + [1] }

  /// The mean loss and ½ l2 ‖V‖².
  func objective(_ w: [Double]) -> Double {
    let loss = (0..<problem.samples).reduce(0) { sum, n in
      let z = zip(w, inputs(n)).reduce(0) { $0 + $1.0 * $1.1 }
      return sum + plain(.logistic, [z], [problem.targets[0][n]])
    }
    return loss / Double(problem.samples) + 0.5 * l2 * w.dropLast().reduce(0) { $0 + $1 * $1 }
  }

  /// The weights of least objective, by Newton's method.
  func optimum() -> [Double] {
    let (d, n) = (6, Double(problem.samples))
    var w = [Double](repeating: 0, count: d)
    for _ in 0..<30 {
      var g = (0..<d).map { $0 < d - 1 ? l2 * w[$0] : 0 }
      var H = (0..<d).map { i in (0..<d).map { $0 == i && i < d - 1 ? l2 : 0 } }
      for k in 0..<problem.samples {
        let (x, y) = (inputs(k), problem.targets[0][k])
        let p = 1 / (1 + exp(y * zip(w, x).reduce(0) { $0 + $1.0 * $1.1 }))
        for i in 0..<d {
          g[i] -= y * p * x[i] / n
          for j in 0..<d { H[i][j] += p * (1 - p) * x[i] * x[j] / n }
        }
      }
      for (j, step) in plainSolve(H, g).enumerated() { w[j] -= step }
    }
    return w
  }
}
