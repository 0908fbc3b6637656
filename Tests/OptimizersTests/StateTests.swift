import MPI
import NetworkSupport
import Networks
import Optimizers
import TestSupport
import Testing

/// A method that reads the state of another goes on to the same bits.
@Suite(.serialized) struct StateTests {
  /// One output and several, a deep net, a linear one.
  static let networks = [
    Network(widths: [6, 10, 1], activation: .relu, loss: .logistic, bias: true),
    Network(widths: [6, 9, 7, 3], activation: .tanh, loss: .softmax, bias: false),
  ]

  @Test(arguments: networks, [1, 4, 11])
  func aMethodGoesOnToTheSameBits(network: Network, before: Int) throws {
    let problem = Problem(network, samples: 500, seed: 71, chunk: 10)
    try TestWorld.with { ranks in
      for (name, settings) in AllocationTests.methods {
        let found = try Continuation(settings, problem, before: before, after: 7, threads: 2, over: ranks)
        #expect(found.wrongNames.isEmpty, "\(name): \(found.wrongNames)")
        #expect(found.resumed == found.straight, "\(name) after \(before)")
        #expect(found.resumedProgress == found.progress, "\(name)")
        #expect(found.resumedWork == found.work, "\(name)")
        #expect(found.straight.allSatisfy { $0.isFinite })
      }
    }
  }

  /// `accelerated` writes the phase that it is in, and a method that begins on batches takes it over.
  @Test func everyPhaseIsTakenOver() throws {
    // Labels that nothing can tell: the batches soon grow.
    let network = Network(widths: [3, 4, 1], activation: .relu, loss: .logistic, bias: true)
    let problem = Problem(network, samples: 400, seed: 5, chunk: 10)
    try TestWorld.with { ranks in
      for form in AcceleratedForm.allCases {
        var settings = AcceleratedSettings()
        (settings.form, settings.block, settings.pairs) = (form, 40, 2)
        var phases: Set<String> = []
        for before in [2, 30, 90] {
          let found = try Continuation(settings, problem, before: before, after: 5, threads: 1, over: ranks)
          #expect(found.resumed == found.straight && found.wrongNames.isEmpty, "\(form) after \(before)")
          phases.insert(found.archive.texts["phase.name"] ?? "")
        }
        #expect(phases.contains("batches"), "\(phases)")
      }
    }
  }
}
