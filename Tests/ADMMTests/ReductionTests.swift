import ADMM
import CCounters
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
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

  /// One reduction for any depth: of each layer the product z_l a_{l−1}ᵀ, of each hidden one the Gram matrix's
  /// triangle, as 64-bit integers, and a word for each of these sums. One rank sends nothing.
  @Test(arguments: networks)
  func aSweepIsOneReductionOfTheSums(network: Network) throws {
    let problem = Problem(network, samples: 400, seed: 62, chunk: 50)
    let L = network.L
    let products = (1...L).map { network.widths[$0] * network.inputs($0) }
    let triangles = (1..<L).map { network.inputs($0 + 1) * (network.inputs($0 + 1) + 1) / 2 }
    let words =
      products.reduce(0, +) + triangles.reduce(0, +) + products.count + triangles.count
      + Notices.count
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var taylor = try Taylor.start(problem, part, TaylorSettings(network), over: ranks)
      #expect(taylor.work == SweepWork(), "nothing before the first sweep")
      // The grids of the sums settle.
      for _ in 0..<5 { try taylor.sweep(part, over: ranks) }
      let (count, bytes) = (reduction_count(), reduced_bytes())
      for _ in 0..<4 { try taylor.sweep(part, over: ranks) }
      #expect(reduction_count() - count == (ranks.size > 1 ? 4 : 0))
      #expect(reduced_bytes() - bytes == (ranks.size > 1 ? 4 * 8 * words : 0))
      #expect(taylor.work.reductions == 9 && taylor.work.bytes == 9 * 8 * words)
    }
  }

  @Test(arguments: networks) func aSweepWithMultipliersIsOneReduction(network: Network) throws {
    let problem = Problem(network, samples: 400, seed: 64, chunk: 50)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var settings = ConsistentSettings()
      settings.l2 = 0.01
      var method = try Consistent.start(network, settings, part, StartOptions(), over: ranks)
      // The grids of the sums settle, with the Gram matrices and without.
      for _ in 0..<5 { try method.sweep(part, over: ranks) }
      let sent = try Sent(&method, sweeps: 12, part, over: ranks)
      #expect(sent.passes == 12)
      #expect(sent.reductions == (ranks.size > 1 ? 12 : 0))
      #expect(sent.bytes == (ranks.size > 1 ? sent.bytesOfPasses : 0))
      // Σ ℓ, and two numbers for each hidden layer.
      #expect(sent.isOfPasses(network, scalars: 2 * network.L - 1), "\(sent)")
      #expect(method.work.samples == 17 * 400)
    }
  }

  /// Sums that are zero, of a layer whose units are all dead, are not measured again and again.
  @Test func sumsOfDeadUnitsAreOneReduction() throws {
    let network = Network(widths: [3, 4, 1], activation: .relu, loss: .hinge, bias: false)
    let problem = Problem(network, samples: 90, seed: 63, chunk: 20).withFeatures { _, _, _ in 0 }
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, start: .forward)
      var taylor = try Taylor.start(problem, part, settings, over: ranks)
      for _ in 0..<3 { try taylor.sweep(part, over: ranks) }
      let count = reduction_count()
      for _ in 0..<4 { try taylor.sweep(part, over: ranks) }
      #expect(reduction_count() - count == (ranks.size > 1 ? 4 : 0))
      let isDead = taylor.W[2].elements.allSatisfy { $0 == 0 }
      #expect(isDead)
    }
  }
}
