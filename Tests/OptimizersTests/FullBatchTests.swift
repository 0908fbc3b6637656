import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// Conjugate gradients and L-BFGS at the optimum of a convex problem, and downhill where there are many.
@Suite(.serialized) struct FullBatchTests {
  private static func methods(l2: Double) -> [any MethodSettings] {
    var (cg, lbfgs) = (ConjugateGradientSettings(), LBFGSSettings())
    cg.l2 = l2
    lbfgs.l2 = l2
    return [cg, lbfgs]
  }

  @Test(arguments: [0, 1]) func theOptimumOfAConvexProblemIsFound(_ which: Int) throws {
    let problem = LogisticProblem(samples: 500, features: 9, l2: 0.01, chunk: 16, seed: 6)
    let best = problem.optimum()
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try Self.methods(l2: problem.l2)[which].start(
        problem.network, part, StartOptions(), over: ranks)
      for _ in 0..<60 where !method.isDone { try method.sweep(part, over: ranks) }
      let found = method.weights[0][0]
      #expect(relativeDistance([found], [best]) < 2e-3, "\(found), expected \(best)")
      #expect(problem.objective(found).value < problem.objective(best).value + 1e-6)
      // The method's own number is that of its weights.
      let objective = try method.lastProgress(over: ranks).objective / Double(problem.samples)
      #expect(abs(objective - problem.objective(found).value) < 1e-5)
      #expect(method.isDone || method.sweeps == 60)
      // Where nothing is left to gain, a sweep changes nothing.
      if method.isDone {
        try method.sweep(part, over: ranks)
        #expect(method.weights[0][0] == found)
      }
    }
  }

  /// No search raises the objective, whatever the loss; what is smooth falls a good deal.
  @Test(arguments: [0, 1], Loss.allCases) func theObjectiveFalls(_ which: Int, _ loss: Loss) throws {
    let network = Network(widths: [4, 8, 5, 2], activation: .leaky_relu, loss: loss, bias: true)
    try TestWorld.with { ranks in
      // The class is decided by a product of two features.
      let given = Problem(network, samples: 300, seed: 4, chunk: 16)
      let (own, other) = loss.classTargets
      let problem = given.withTargets { i, n, _ in
        Double((given.features[0][n] * given.features[1][n] > 0.2) == (i == 0) ? own : other)
      }
      let part = problem.part(of: ranks)
      var method = try Self.methods(l2: 1e-4)[which].start(
        network, part, StartOptions(seed: 2), over: ranks)
      var objectives: [Double] = []
      for _ in 0..<25 {
        try method.sweep(part, over: ranks)
        objectives.append(try method.lastProgress(over: ranks).objective)
      }
      for (next, former) in zip(objectives.dropFirst(), objectives) {
        #expect(next <= former * (1 + 1e-6), "\(objectives)")
      }
      let isSmooth = loss != .hinge && loss != .multiclass_hinge
      #expect(objectives[24] < (isSmooth ? 0.8 : 1) * objectives[0], "\(objectives)")
    }
  }
}
