import CCounters
import MPI
import NetworkSupport
import Networks
import Optimizers
import TestSupport
import Testing

/// What a step sends, counted where MPI is called.
@Suite(.serialized) struct ReductionTests {
  private static let networks = [
    Network(widths: [28, 30, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [6, 4, 8, 5, 3], activation: .hard_tanh, loss: .softmax, bias: true),
    Network(widths: [12, 20, 40, 10], activation: .relu, loss: .hinge, bias: false),
    Network(widths: [15, 3], activation: .relu, loss: .logistic, bias: true),
  ]

  /// Does some sweeps, and expects one reduction for each pass and the bytes that `work` tells: Σ ℓ is the only sum
  /// of single numbers.
  private func expectOneReduction<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, sweeps: Int, passes: Int?, _ samples: borrowing Samples,
    over ranks: borrowing Communicator
  ) throws {
    let sent = try Sent(&method, sweeps: sweeps, samples, over: ranks)
    if let passes { #expect(sent.passes == passes) }
    #expect(sent.passes >= sweeps)
    #expect(sent.reductions == (ranks.size > 1 ? sent.passes : 0))
    #expect(sent.bytes == (ranks.size > 1 ? sent.bytesOfPasses : 0))
    let network = method.network
    #expect(sent.isOfPasses(network, scalars: 1), "\(sent)")
  }

  /// A step on a batch, and an evaluation of the line search on all samples.
  @Test(arguments: networks, AcceleratedForm.allCases)
  func aStepOfAcceleratedIsOneReduction(network: Network, form: AcceleratedForm) throws {
    let problem = Problem(network, samples: 400, seed: 65, chunk: 50)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      for block in [100, 400] {
        var settings = AcceleratedSettings()
        (settings.form, settings.block, settings.step) = (form, block, 0.05)
        var method = try settings.start(network, part, StartOptions(), over: ranks)
        for _ in 0..<5 { try method.sweep(part, over: ranks) }
        // Whole passes of four batches; single steps of the momentum form; whatever the line search takes.
        let passes = block < 400 ? 12 : form == .momentum ? 3 : nil
        try expectOneReduction(&method, sweeps: 3, passes: passes, part, over: ranks)
        #expect(method.events.isEmpty, "\(method.events)")
      }
    }
  }

  /// A step of a mini-batch method, and an evaluation of a line search.
  @Test(arguments: networks) func aStepOfAGradientMethodIsOneReduction(network: Network) throws {
    let problem = Problem(network, samples: 400, seed: 66, chunk: 50)
    var (sgd, adam) = (SGDSettings(), AdamSettings())
    (sgd.common.block, sgd.common.rate) = (100, 0.01)
    adam.common.block = 100
    let methods: [(any MethodSettings, passes: Int?)] = [
      (sgd, 12), (adam, 12), (ConjugateGradientSettings(), nil), (LBFGSSettings(), nil),
    ]
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      for (settings, passes) in methods {
        var method = try settings.start(network, part, StartOptions(sweeps: 8), over: ranks)
        for _ in 0..<5 { try method.sweep(part, over: ranks) }
        try expectOneReduction(&method, sweeps: 3, passes: passes, part, over: ranks)
      }
    }
  }
}
