import LinearAlgebra
import MPI
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// Conjugate gradients and L-BFGS at the optimum of a convex problem, and downhill where there are many.
@Suite(.serialized) struct FullBatchTests {
  private static func methods(l2: Double) -> [SearchDirection] {
    var (cg, lbfgs) = (ConjugateGradientSettings(), LBFGSSettings())
    cg.l2 = l2
    lbfgs.l2 = l2
    return [.conjugate(cg), .lbfgs(lbfgs)]
  }

  @Test(arguments: [0, 1]) func theOptimumOfAConvexProblemIsFound(_ which: Int) throws {
    let problem = Convex(samples: 500, features: 9, seed: 6)
    let best = problem.optimum()
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try FullBatch.start(
        problem.network, Self.methods(l2: problem.l2)[which], seed: 1, a0: part.a0.all, y: part.y.all,
        partition: part.partition, over: ranks)
      for _ in 0..<60 where !method.isDone { try method.sweep(over: ranks) }
      let found = method.firstWeights()
      #expect(relativeDistance([found], [best]) < 2e-3, "\(found), expected \(best)")
      #expect(problem.objective(found).value < problem.objective(best).value + 1e-6)
      // The method's own number is that of its weights.
      let objective = try method.progress(over: ranks).objective / Double(problem.samples)
      #expect(abs(objective - problem.objective(found).value) < 1e-5)
      #expect(method.isDone || method.sweeps == 60)
      // Where nothing is left to gain, a sweep changes nothing.
      if method.isDone {
        try method.sweep(over: ranks)
        #expect(method.firstWeights() == found)
      }
    }
  }

  /// No search raises the objective, whatever the loss; what is smooth falls a good deal.
  @Test(arguments: [0, 1], Loss.allCases) func theObjectiveFalls(_ which: Int, _ loss: Loss) throws {
    let network = Network(widths: [4, 8, 5, 2], activation: .leaky_relu, loss: loss, bias: true)
    try TestWorld.with { ranks in
      let samples = 300
      let partition = Partition(samples: samples, ranks: ranks.size, chunk: 16)
      let own = partition.range(of: ranks.rank)
      var random = SeededGenerator(seed: 4)
      let features = (0..<samples).map { _ in (0..<4).map { _ in Float(random.normal()) } }
      let (target, other) = loss.classTargets
      let a0 = Matrix<Float>(rows: 5, columns: own.count) { i, j in
        i == 4 ? 1 : features[own.lowerBound + j][i]
      }
      let y = Matrix<Float>(rows: 2, columns: own.count) { i, j in
        let x = features[own.lowerBound + j]
        return (x[0] * x[1] > 0.2) == (i == 0) ? target : other
      }
      var method = try FullBatch.start(
        network, Self.methods(l2: 1e-4)[which], seed: 2, a0: a0.all, y: y.all, partition: partition,
        over: ranks)
      var objectives: [Double] = []
      for _ in 0..<25 {
        try method.sweep(over: ranks)
        objectives.append(try method.progress(over: ranks).objective)
      }
      for (next, former) in zip(objectives.dropFirst(), objectives) {
        #expect(next <= former * (1 + 1e-6), "\(objectives)")
      }
      let isSmooth = loss != .hinge && loss != .multiclass_hinge
      #expect(objectives[24] < (isSmooth ? 0.8 : 1) * objectives[0], "\(objectives)")
    }
  }
}
