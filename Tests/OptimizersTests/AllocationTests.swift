import MPI
import NetworkSupport
import Networks
import Optimizers
import TestSupport
import Testing

/// A sweep allocates nothing: all it needs was made at the start. With more threads than one, handing them a pass
/// takes one.
@Suite(.serialized) struct AllocationTests {
  /// Every method and every kind of its steps: in `accelerated` both forms on batches and on all samples.
  static let methods: [(name: String, settings: any MethodSettings)] = {
    var methods: [(String, any MethodSettings)] = []
    for form in AcceleratedForm.allCases {
      for block in [100, 500] {
        var accelerated = AcceleratedSettings()
        (accelerated.form, accelerated.block) = (form, block)
        (accelerated.l2, accelerated.step) = (1e-3, 0.05)
        // So few that the sweeps fill the memory.
        accelerated.pairs = 3
        methods.append(
          ("accelerated, \(form), \(block < 500 ? "on batches" : "on all samples")", accelerated))
      }
    }
    var (sgd, adam) = (SGDSettings(), AdamSettings())
    (sgd.common.block, sgd.common.rate) = (100, 0.01)
    adam.common.block = 100
    var lbfgs = LBFGSSettings()
    lbfgs.pairs = 3
    return methods + [
      ("sgd", sgd), ("adam", adam), ("cg", ConjugateGradientSettings()), ("lbfgs", lbfgs),
    ]
  }()

  @Test(arguments: netsOfEveryKernel, [1, 2])
  func aSweepAllocatesNothing(network: Network, threads: Int) throws {
    let problem = Problem(network, samples: 500, seed: 61, chunk: 10)
    // What is linear is soon at its optimum, where `accelerated` goes over to other steps, which it says and makes
    // room for.
    let sweeps = network.L > 1 && network.activation != .identity ? 12 : 6
    try TestWorld.with { ranks in
      for (name, settings) in Self.methods {
        let found = try Allocations(
          settings, problem, threads: threads, after: 2, sweeps: sweeps, over: ranks)
        #expect(found.events.isEmpty, "\(name): \(found.events)")
        #expect(found.passes >= sweeps, "\(name)")
        #expect(found.areFew(threads: threads), "\(name): \(found)")
      }
    }
  }
}
