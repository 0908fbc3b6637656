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

  /// What a pass of `accelerated` and of the multipliers sends: every layer's product, the Gram triangles where they come along, and the
  /// scalars in sixteen words each; a word for each of the sums.
  private func passBytes(_ network: Network, hasGrams: Bool) -> Int {
    let L = network.L
    let products = (1...L).map { network.widths[$0] * network.inputs($0) }
    let triangles = hasGrams ? (1..<L).map { network.inputs($0 + 1) * (network.inputs($0 + 1) + 1) / 2 } : []
    return 8 * ((products + triangles).reduce(0) { $0 + $1 + 1 } + 16 * (2 * L - 1))
  }

  /// Does some sweeps, of so many passes together, and expects one reduction for each pass and the bytes that `work` tells.
  private func expectOneReduction<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, sweeps: Int, passes: Int?, _ network: Network, over ranks: borrowing Communicator
  ) throws {
    let (count, bytes, work) = (reduction_count(), reduced_bytes(), method.work)
    for _ in 0..<sweeps { try method.sweep(over: ranks, isMeasured: true) }
    let passed = method.work.reductions - work.reductions
    if let passes { #expect(passed == passes) }
    #expect(reduction_count() - count == (ranks.size > 1 ? passed : 0))
    let told = method.work.bytes - work.bytes
    #expect(reduced_bytes() - bytes == (ranks.size > 1 ? told : 0))
    let (few, many) = (passBytes(network, hasGrams: false), passBytes(network, hasGrams: true))
    let isOfPasses = (0...passed).contains { $0 * many + (passed - $0) * few == told }
    #expect(isOfPasses, "\(told) bytes in \(passed) passes of \(few) or \(many)")
  }

  @Test(arguments: networks) func aSweepWithMultipliersIsOneReduction(network: Network) throws {
    let problem = Problem(network, samples: 400, seed: 64, chunk: 50)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var settings = ConsistentSettings()
      settings.l2 = 0.01
      var method = try ConsistentTaylor.start(
        network, settings, a0: part.a0.all, y: part.y.all, partition: part.partition, over: ranks)
      // The grids of the sums settle, with the Gram matrices and without.
      for _ in 0..<5 { try method.sweep(over: ranks) }
      try expectOneReduction(&method, sweeps: 12, passes: 12, network, over: ranks)
      #expect(method.work.samples == 17 * 400)
    }
  }

  /// A step on a block, and an evaluation of the line search on all samples.
  @Test(arguments: networks, AcceleratedForm.allCases)
  func aStepOfAcceleratedIsOneReduction(network: Network, form: AcceleratedForm) throws {
    let problem = Problem(network, samples: 400, seed: 65, chunk: 50)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      for block in [100, 400] {
        var settings = AcceleratedSettings()
        (settings.form, settings.block, settings.step) = (form, block, 0.05)
        var method = try Accelerated.start(
          network, settings, a0: part.a0.all, y: part.y.all, partition: part.partition, over: ranks)
        for _ in 0..<5 { try method.sweep(over: ranks) }
        // Whole passes of four blocks; single steps of the momentum form; whatever the line search takes.
        let passes = block < 400 ? 12 : form == .momentum ? 3 : nil
        try expectOneReduction(&method, sweeps: 3, passes: passes, network, over: ranks)
        #expect(method.events.isEmpty, "\(method.events)")
      }
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
