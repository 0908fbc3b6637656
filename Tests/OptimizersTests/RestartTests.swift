import LinearAlgebra
import NetworkSupport
import Networks
import Optimizers
import TestSupport
import Testing

/// What goes on after a divergence has nothing left of it.
@Suite(.serialized) struct RestartTests {
  private static let network = Network(widths: [6, 9, 5, 2], activation: .tanh, loss: .softmax, bias: true)

  /// All samples are one batch, so that the way over the batches is the same.
  private static let methods: [any MethodSettings] = {
    var (sgd, adam, whole, momentum) = (
      SGDSettings(), AdamSettings(), AcceleratedSettings(), AcceleratedSettings()
    )
    (sgd.common.block, sgd.common.schedule) = (300, .constant)
    (adam.common.block, adam.common.schedule) = (300, .constant)
    whole.block = 300
    (momentum.block, momentum.form) = (300, .momentum)
    return [sgd, adam, whole, momentum, ConjugateGradientSettings(), LBFGSSettings()]
  }()

  @Test(arguments: methods.indices) func noMethodRemembersWhatDiverged(index: Int) throws {
    let settings = Self.methods[index]
    let problem = Problem(Self.network, samples: 300, seed: 8, chunk: 16)
    try TestWorld.with { ranks in
      let found = try [Float.nan, 0.1, .greatestFiniteMagnitude].map { first in
        try weightsAfterRestarts(problem, sweeps: 6, first: first, over: ranks) {
          try settings.start(problem.network, $0, StartOptions(sweeps: 20), over: $1)
        }
      }
      #expect(found.allSatisfy { $0 == found[0] }, "\(type(of: settings).name)")
      #expect(found[0].allSatisfy { $0.allSatisfy { $0.allSatisfy(\.isFinite) } })
    }
  }

  /// The first step after it is half a step of gradient descent from the weights that were given.
  @Test func theRateOfSGDIsHalved() throws {
    let problem = LogisticProblem(samples: 120, features: 5, l2: 0.01, chunk: 16, seed: 9)
    var settings = SGDSettings()
    (settings.common.block, settings.common.schedule, settings.common.l2) = (120, .constant, problem.l2)
    (settings.common.rate, settings.nesterov) = (0.3, false)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try settings.start(problem.network, part, StartOptions(sweeps: 5), over: ranks)
      let W = problem.network.randomWeights(seed: 4)
      for _ in 0..<3 { try method.sweep(part, over: ranks) }
      try method.restart(at: W, part, over: ranks)
      let w = method.weights[0][0]
      try method.sweep(part, over: ranks)
      let (_, g) = problem.objective(w, Array(0..<problem.samples))
      for (new, (old, slope)) in zip(method.weights[0][0], zip(w, g)) {
        #expect(abs(new - (old - 0.15 * slope)) < 1e-6)
      }
    }
  }
}
