import ADMM
import CCounters
import LinearAlgebra
import MPI
import TestSupport
import Testing

/// What a sweep sends, counted where MPI is called.
@Suite(.serialized) struct ReductionTests {
  private static let networks = [
    Network(widths: [28, 30, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [6, 4, 8, 5, 3], activation: .hard_tanh, loss: .softmax, bias: true),
    Network(widths: [12, 20, 40, 10], activation: .relu, loss: .hinge, bias: false),
    Network(widths: [15, 3], activation: .relu, loss: .logistic, bias: true),
  ]

  /// One reduction for any depth: of each layer the product z_l a_{l−1}ᵀ, of each hidden one the Gram matrix's triangle, as 64-bit
  /// integers, and a word for each of these sums. One rank sends nothing.
  @Test(arguments: networks)
  func aSweepIsOneReductionOfTheSums(network: Network) throws {
    let problem = Problem(network, samples: 400, seed: 62, chunk: 50)
    let L = network.L
    let products = (1...L).map { network.widths[$0] * network.inputs($0) }
    let triangles = (1..<L).map { network.inputs($0 + 1) * (network.inputs($0 + 1) + 1) / 2 }
    let words = products.reduce(0, +) + triangles.reduce(0, +) + products.count + triangles.count
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var taylor = try Taylor.start(problem, part, TaylorSettings(network), over: ranks)
      #expect(taylor.cost.reductions == 1)
      #expect(taylor.cost.bytes == 8 * words)
      // The grids of the sums settle.
      for _ in 0..<5 { try taylor.sweep(over: ranks) }
      let (count, bytes) = (reduction_count(), reduced_bytes())
      for _ in 0..<4 { try taylor.sweep(over: ranks) }
      #expect(reduction_count() - count == (ranks.size > 1 ? 4 : 0))
      #expect(reduced_bytes() - bytes == (ranks.size > 1 ? 4 * taylor.cost.bytes : 0))
    }
  }

  /// Sums that are zero, of a layer whose units are all dead, are not measured again and again.
  @Test func sumsOfDeadUnitsAreOneReduction() throws {
    let network = Network(widths: [3, 4, 1], activation: .relu, loss: .hinge, bias: false)
    let problem = Problem(network, samples: 90, seed: 63, chunk: 20)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      for n in 0..<part.a0.columns { for i in 0..<3 { part.a0[i, n] = 0 } }
      let settings = TaylorSettings(network, start: .forward)
      var taylor = try Taylor.start(problem, part, settings, over: ranks)
      for _ in 0..<3 { try taylor.sweep(over: ranks) }
      let count = reduction_count()
      for _ in 0..<4 { try taylor.sweep(over: ranks) }
      #expect(reduction_count() - count == (ranks.size > 1 ? 4 : 0))
      let isDead = taylor.W[2].elements.allSatisfy { $0 == 0 }
      #expect(isDead)
    }
  }
}
