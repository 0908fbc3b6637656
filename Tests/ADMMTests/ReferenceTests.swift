import ADMM
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Ten sweeps of small nets against `reference.py`, which lies beside this file: double precision, direct solves, no
/// code in common.
///
/// The state is single precision, so that the two drift apart: by about 1e-6 in the first sweep, and then by the
/// factor with which the iteration amplifies differences. The nets are well-conditioned (normal features, a ridge of
/// 1e-3, more samples than weights): the largest distance seen after ten sweeps is 1.2e-5. The bounds, 1e-4 after
/// one sweep and 1e-3 later, leave room for any BLAS and are far below what a wrong term changes.
@Suite(.serialized, .enabled(if: Python.isAvailable, "\(Python.howToInstall)"))
struct ReferenceTests {
  struct Case: CustomStringConvertible, Sendable {
    var widths: [Int]
    var samples: Int
    var loss: Loss
    var activation = Activation.relu
    var bias = true
    var start = StartValues.gaussian
    var chunk: Int? = nil
    var beta: Float = 1
    var gamma: Float = 10
    var warmStart = 3
    var hasMultiplier = true
    var dualStep: Float = 1

    var description: String {
      "\(widths) \(loss) \(activation) \(start) N = \(samples)\(bias ? "" : " no bias")"
    }
  }

  private struct Input: Encodable {
    let a0, y: [[Double]]
    let activation, loss: String
    let bias: Bool
    let beta, gamma: [Float]
    let ridge: Double
    let dual_step: Float
    let warm_start: Int
    let multiplier: Bool
    let a, z: [[[Double]]]
    let sweeps: [Int]
  }

  private struct Report: Decodable {
    let W, a, z: [[[Double]]]
    let lambda: [[Double]]
    let objective: Double
  }

  /// One, two and three hidden layers, and none; both starts.
  @Test(arguments: [
    Case(widths: [5, 7, 1], samples: 200, loss: .hinge),
    Case(widths: [5, 7, 1], samples: 200, loss: .hinge, start: .forward),
    Case(widths: [4, 6, 5, 2], samples: 150, loss: .square),
    Case(widths: [4, 6, 5, 2], samples: 150, loss: .square, start: .forward),
    Case(widths: [6, 8, 7, 5, 3], samples: 180, loss: .softmax),
    Case(widths: [6, 8, 7, 5, 3], samples: 180, loss: .softmax, start: .forward),
    Case(widths: [6, 1], samples: 100, loss: .hinge),
    Case(widths: [6, 3], samples: 100, loss: .softmax),
  ])
  func depths(net: Case) throws { try expectAgreement(net) }

  @Test(arguments: Loss.allCases)
  func everyLoss(loss: Loss) throws {
    try expectAgreement(Case(widths: [5, 6, 3], samples: 120, loss: loss, dualStep: 2))
  }

  @Test(arguments: Activation.allCases)
  func everyActivation(activation: Activation) throws {
    try expectAgreement(Case(widths: [5, 6, 4, 1], samples: 150, loss: .logistic, activation: activation))
  }

  /// No bias; a layer that widens, so that the a-update takes its other form; no multiplier; chunks of more than a
  /// tile.
  @Test(arguments: [
    Case(widths: [5, 7, 1], samples: 200, loss: .hinge, bias: false),
    Case(widths: [4, 6, 5, 2], samples: 150, loss: .huber, bias: false, start: .forward),
    Case(widths: [5, 3, 8, 4], samples: 150, loss: .softmax),
    Case(widths: [5, 3, 8, 4], samples: 150, loss: .squared_hinge, bias: false, start: .forward),
    Case(widths: [5, 7, 1], samples: 200, loss: .hinge, beta: 4, gamma: 0.5, hasMultiplier: false),
    Case(widths: [5, 7, 1], samples: 200, loss: .logistic, warmStart: 0),
    Case(widths: [5, 7, 1], samples: 1500, loss: .hinge, chunk: 600),
    Case(widths: [5, 7, 1], samples: 61, loss: .square, chunk: 1),
  ])
  func variants(net: Case) throws { try expectAgreement(net) }

  private func expectAgreement(_ net: Case) throws {
    let network = Network(widths: net.widths, activation: net.activation, loss: net.loss, bias: net.bias)
    let problem = Problem(network, samples: net.samples, seed: 11, chunk: net.chunk)
    let settings = TaylorSettings(
      network, beta: net.beta, gamma: net.gamma, warmStart: net.warmStart, hasMultiplier: net.hasMultiplier,
      dualStep: net.dualStep, start: net.start)
    let L = network.L
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var taylor = try Taylor.start(problem, part, settings, seed: 5, over: ranks)
      var (a, z): ([[[Double]]], [[[Double]]]) = ([], [])
      // a_l as the paper's order has it; z, W and λ are Taylor's own.
      let plain = try PlainTaylor(problem, settings, seed: 5, over: ranks)
      for l in 1..<L { a.append(try gathered(plain.a[l].rows(0..<network.widths[l]), over: ranks)) }
      for l in 1...L {
        z.append(try gathered(taylor.variables.z[l].rows(0..<network.widths[l]), over: ranks))
      }
      let input = Input(
        a0: problem.features, y: problem.targets, activation: net.activation.rawValue,
        loss: net.loss.rawValue, bias: net.bias, beta: plain.beta, gamma: plain.gamma,
        ridge: settings.ridge, dual_step: settings.dualStep, warm_start: settings.warmStart,
        multiplier: net.hasMultiplier, a: a, z: z, sweeps: [1, 5, 10])
      let reports: [Report] = try Python.run(
        script: "Tests/ADMMTests/reference.py", input: input, over: ranks)
      for (sweeps, report) in zip(input.sweeps, reports) {
        while taylor.sweeps < sweeps {
          try plain.sweep(over: ranks)
          try taylor.sweep(part, over: ranks, isMeasured: true)
        }
        for l in 1...L {
          expectNear(taylor.W[l].all.nested.map { $0.map(Double.init) }, report.W[l - 1], "W_\(l)", sweeps)
          let outputs = try gathered(taylor.variables.z[l].rows(0..<network.widths[l]), over: ranks)
          expectNear(outputs, report.z[l - 1], "z_\(l)", sweeps)
          guard l < L else { continue }
          let active = try gathered(plain.a[l].rows(0..<network.widths[l]), over: ranks)
          expectNear(active, report.a[l - 1], "a_\(l)", sweeps)
        }
        expectNear(try gathered(taylor.variables.lambda.all, over: ranks), report.lambda, "λ", sweeps)
        expectNear([[try taylor.progress(over: ranks).objective]], [[report.objective]], "objective", sweeps)
      }
    }
  }

  private func expectNear(_ own: [[Double]], _ reference: [[Double]], _ what: String, _ sweeps: Int) {
    let distance = relativeDistance(own, reference)
    #expect(distance <= (sweeps == 1 ? 1e-4 : 1e-3), "\(what) after \(sweeps) sweeps is off by \(distance)")
  }
}
