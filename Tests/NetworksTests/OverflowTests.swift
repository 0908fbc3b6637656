import LinearAlgebra
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Where a forward pass leaves the numbers that can be squared, on any number of ranks.
@Suite(.serialized) struct OverflowTests {
  private static let network = Network(widths: [3, 4, 2], activation: .relu, loss: .square, bias: true)

  private func overflow(
    _ problem: Problem, layers: Int, scale: Float = 1,
    _ change: (inout Layers<Matrix<Float>>) -> Void = { _ in }
  ) throws -> Overflow? {
    try TestWorld.with { ranks in
      var W = problem.network.randomWeights(seed: 3)
      change(&W)
      return try problem.part(of: ranks).firstOverflow(problem.network, W, layers: layers, over: ranks)
    }
  }

  @Test func soundNumbersHaveNone() throws {
    let problem = Problem(Self.network, samples: 200, seed: 11, chunk: 16)
    #expect(try overflow(problem, layers: 2) == nil)
  }

  @Test(arguments: [Double.nan, .infinity, -2e19]) func theFirstSampleIsNamed(value: Double) throws {
    let problem = Problem(Self.network, samples: 200, seed: 11, chunk: 16).withFeatures { i, n, x in
      i == 2 && (n == 150 || n == 77) || i == 1 && n == 199 ? value : x
    }
    let found = try #require(try overflow(problem, layers: 0))
    #expect(found.sample == 77 && found.row == 2 && found.layer == 0 && found.samples == 3)
    TestWorld.with { ranks in
      #expect(
        found.rank
          == (0..<ranks.size).first { problem.partition(ranks: ranks.size).range(of: $0).contains(77) })
    }
    #expect(found.value.isNaN == value.isNaN)
    if !value.isNaN { #expect(found.value == Float(value)) }
  }

  /// Sample 9 alone has an input that makes unit 1 of layer 2 too large.
  @Test func theLayerIsNamed() throws {
    let problem = Problem(Self.network, samples: 100, seed: 12, chunk: 16).withFeatures { i, n, x in
      n == 9 ? (i == 0 ? 1e10 : 0) : 0
    }
    let found = try #require(
      try overflow(problem, layers: 2) { W in
        for l in 1...2 { W[l].fill(0) }
        W[1][3, 0] = 1
        W[2][1, 3] = 1e10
      })
    #expect(
      found.sample == 9 && found.layer == 2 && found.row == 1 && found.value == 1e20 && found.samples == 1)
  }
}
