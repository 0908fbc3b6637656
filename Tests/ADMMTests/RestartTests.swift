import ADMM
import LinearAlgebra
import NetworkSupport
import Networks
import TestSupport
import Testing

/// What goes on after a divergence has nothing left of it.
@Suite(.serialized) struct RestartTests {
  private static let network = Network(widths: [6, 9, 5, 2], activation: .relu, loss: .square, bias: true)
  private static let taylor: [TaylorSettings] = [ActivationStorage.stored, .recomputed].flatMap { storage in
    [MultiplierScope.none, .last].map { multiplier in
      var settings = TaylorSettings()
      (settings.storage, settings.multiplier, settings.warmStart) = (storage, multiplier, 0)
      return settings
    }
  }

  /// Its variables were NaN; its multiplier, too.
  @Test(arguments: taylor) func taylorForgetsWhatDiverged(settings: TaylorSettings) throws {
    let problem = Problem(Self.network, samples: 300, seed: 5, chunk: 16)
    try TestWorld.with { ranks in
      let found = try [Float.nan, 0.1, .greatestFiniteMagnitude].map { first in
        try weightsAfterRestarts(problem, sweeps: 6, first: first, over: ranks) {
          try settings.start(problem.network, $0, StartOptions(), over: $1)
        }
      }
      #expect(found.allSatisfy { $0 == found[0] })
      #expect(found[0].allSatisfy { $0.allSatisfy { $0.allSatisfy(\.isFinite) } })
    }
  }

  @Test func consistentForgetsWhatDiverged() throws {
    let problem = Problem(Self.network, samples: 300, seed: 6, chunk: 16)
    try TestWorld.with { ranks in
      let found = try [Float.nan, 0.1, .greatestFiniteMagnitude].map { first in
        try weightsAfterRestarts(problem, sweeps: 6, first: first, over: ranks) {
          try ConsistentSettings().start(problem.network, $0, StartOptions(), over: $1)
        }
      }
      #expect(found.allSatisfy { $0 == found[0] })
      #expect(found[0].allSatisfy { $0.allSatisfy { $0.allSatisfy(\.isFinite) } })
    }
  }

  /// With more ridge the weights of the next sweep are smaller: those of least squares with it, by elimination.
  @Test func taylorsRidgeIsTenfold() throws {
    let network = Network(widths: [4, 1], activation: .relu, loss: .square, bias: false)
    let problem = Problem(network, samples: 60, seed: 7, chunk: 16)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var settings = TaylorSettings()
      settings.ridge = 0.02
      let beta = Double(settings.beta.values(1)[0])
      var method = try settings.start(network, part, StartOptions(), over: ranks)
      try method.sweep(part, over: ranks)
      let W = network.zeroWeights()
      try method.restart(at: W, part, over: ranks)
      // z = 0, then argmin (z − y)² + β z² without a multiplier, then W z xᵀ (x xᵀ + ρ I)⁻¹.
      try method.sweep(part, over: ranks)
      try method.sweep(part, over: ranks)
      let x = problem.features
      var G = x.map { a in x.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
      let mean = G.indices.reduce(0) { $0 + G[$1][$1] } / Double(G.count)
      for i in G.indices { G[i][i] += 10 * 0.02 * mean }
      let z = problem.targets[0].map { $0 / (1 + beta) }
      let expected = plainSolve(G, x.map { zip($0, z).reduce(0) { $0 + $1.0 * $1.1 } })
      let found = method.weights[0][0]
      for (a, b) in zip(found, expected) {
        #expect(abs(a - b) < 1e-4 * (1 + abs(b)), "\(found), \(expected)")
      }
    }
  }
}
