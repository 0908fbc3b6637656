import ADMM
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
      var method = try Consistent.start(
        network, settings, part, StartOptions(threads: net.threads), over: ranks)
      let input = Input(
        a0: problem.features, y: problem.targets, activation: net.activation.rawValue,
        loss: net.loss.rawValue,
        bias: net.bias, W: method.weights, beta: settings.beta, l2: 0.02, proximal: settings.proximal,
        momentum: settings.momentum, safeguard: settings.safeguard, sweeps: [1, 2, 5, 10])
      let reports: [Report] = try Python.run(
        script: "Tests/ADMMTests/consistent.py", input: input, over: ranks)
      for (sweeps, report) in zip(input.sweeps, reports) {
        while method.sweeps < sweeps { try method.sweep(part, over: ranks) }
        let bound = sweeps <= 2 ? 1e-5 : 1e-3
        for (l, (own, other)) in zip(method.weights, report.W).enumerated() {
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

  /// Without a hidden layer, multipliers end at minus the loss's derivative over 2 β, and the weights where the
  /// gradient is 0.
  @Test func withoutHiddenLayersItEndsAtTheOptimum() throws {
    let convex = LogisticProblem(samples: 200, l2: 0.02, seed: 41)
    let optimum = convex.optimum()
    try TestWorld.with { ranks in
      let part = convex.part(of: ranks)
      var settings = ConsistentSettings()
      settings.l2 = convex.l2
      var method = try Consistent.start(convex.network, settings, part, StartOptions(), over: ranks)
      for _ in 0..<400 { try method.sweep(part, over: ranks) }
      let distance = relativeDistance(method.weights[0], [optimum])
      #expect(distance < 1e-4, "off by \(distance)")
    }
  }
}
