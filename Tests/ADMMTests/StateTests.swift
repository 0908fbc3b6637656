import ADMM
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

/// A method that reads the state of another goes on to the same bits.
@Suite(.serialized) struct StateTests {
  static let networks = [
    Network(widths: [6, 10, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [6, 20, 7, 3], activation: .relu, loss: .square, bias: false),
    Network(widths: [6, 9, 7, 1], activation: .tanh, loss: .logistic, bias: true),
  ]

  @Test(arguments: networks, [1, 4, 13])
  func taylorGoesOnToTheSameBits(network: Network, before: Int) throws {
    let problem = Problem(network, samples: 500, seed: 72, chunk: 20)
    try TestWorld.with { ranks in
      for start in StartValues.allCases {
        for storage in ActivationStorage.allCases {
          var settings = TaylorSettings()
          (settings.start, settings.storage, settings.multiplier) = (start, storage, .last)
          settings.warmStart = 3
          let found = try Continuation(settings, problem, before: before, after: 6, threads: 2, over: ranks)
          #expect(found.wrongNames.isEmpty, "\(found.wrongNames)")
          #expect(found.resumed == found.straight, "\(start), \(storage), after \(before)")
          #expect(found.resumedProgress == found.progress && found.resumedWork == found.work)
        }
      }
    }
  }

  @Test(arguments: networks, [1, 6, 21])
  func consistentGoesOnToTheSameBits(network: Network, before: Int) throws {
    let problem = Problem(network, samples: 500, seed: 73, chunk: 20)
    try TestWorld.with { ranks in
      let found = try Continuation(
        ConsistentSettings(), problem, before: before, after: 6, threads: 2, over: ranks)
      #expect(found.wrongNames.isEmpty, "\(found.wrongNames)")
      #expect(found.resumed == found.straight, "after \(before)")
      #expect(found.resumedProgress == found.progress && found.resumedWork == found.work)
    }
  }

  /// What is not listed is missed: without one of its arrays the state leads elsewhere.
  @Test func theGridsDecideBits() throws {
    let problem = Problem(Self.networks[1], samples: 500, seed: 74, chunk: 20)
    try TestWorld.with { ranks in
      let found = try Continuation(TaylorSettings(), problem, before: 5, after: 3, threads: 1, over: ranks)
      let names = Set(found.archive.lists.keys)
      #expect(names.isSuperset(of: ["sweeps", "W1", "W3", "z1", "z2", "z3", "lambda", "sums.grids"]))
      #expect(found.archive.lists["sums.grids"]?.allSatisfy { $0 > -1000 } == true, "all grids are known")
    }
  }
}
