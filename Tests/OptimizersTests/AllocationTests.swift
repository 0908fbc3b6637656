import MPI
import NetworkSupport
import Networks
import Optimizers
import TestSupport
import Testing

/// A sweep allocates nothing: all it needs was made at the start. With more threads than one, handing them the work takes one a pass.
@Suite(.serialized) struct AllocationTests {
  /// Every method and every kind of its steps: in `accelerated` both forms on batches and on all samples.
  static let methods: [(name: String, settings: any MethodSettings)] = {
    var methods: [(String, any MethodSettings)] = []
    for form in AcceleratedForm.allCases {
      for block in [100, 500] {
        var accelerated = AcceleratedSettings()
        (accelerated.form, accelerated.block, accelerated.step) = (form, block, 0.05)
        methods.append(("accelerated, \(form), \(block < 500 ? "on batches" : "on all samples")", accelerated))
      }
    }
    var (sgd, adam) = (SGDSettings(), AdamSettings())
    (sgd.common.block, sgd.common.rate) = (100, 0.01)
    adam.common.block = 100
    return methods + [
      ("sgd", sgd), ("adam", adam), ("cg", ConjugateGradientSettings()), ("lbfgs", LBFGSSettings()),
    ]
  }()

  @Test(arguments: netsOfEveryKernel, [1, 2])
  func aSweepAllocatesNothing(network: Network, threads: Int) throws {
    let problem = Problem(network, samples: 500, seed: 61, chunk: 10)
    try TestWorld.with { ranks in
      for (name, settings) in Self.methods {
        let found = try Allocations(settings, problem, threads: threads, after: 2, sweeps: 12, over: ranks)
        #expect(found.events.isEmpty, "\(name): \(found.events)")
        #expect(found.passes >= 12, "\(name)")
        #expect(found.count <= (threads > 1 ? found.passes : 0), "\(name): \(found)")
      }
    }
  }
}
