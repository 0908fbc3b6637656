import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// Algorithm 1's updates in place of derivatives, against their formulae.
@Suite(.serialized) struct UpdateRuleTests {
  /// Of a network with the square loss, where the update of z_2 is (y + β m) / (1 + β).
  @Test(arguments: [[5, 8, 2], [5, 1, 2], [5, 20, 1]]) func theUpdatesAreThoseOfAlgorithm1(widths: [Int])
    throws
  {
    let network = Network(widths: widths, activation: .leaky_relu, loss: .square, bias: true)
    let (beta, r) = (0.3, 0.1)
    let reference = PlainNetwork.smooth(network, samples: 90, chunk: 8, seed: 31)
    let problem = reference.problem
    let V = reference.W[1].map { Array($0.dropLast()) }
    func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    let system = V.indices.map { i in V.indices.map { dot(V[i], V[$0]) + (i == $0 ? r : 0) } }
    var expected = (0..<2).map { k in reference.W[k].map { $0.map { _ in 0.0 } } }
    for n in 0..<problem.samples {
      let (z, a) = (reference.outputs(n), reference.activations(n))
      let last = z[1].indices.map { (z[1][$0] - problem.targets[$0][n]) / (1 + beta) }
      let solved = plainSolve(system, last)
      let hidden = z[0].indices.map { i in
        (z[0][i] > 0 ? 1 : 0.01) * dot(V.map { $0[i] }, solved)
      }
      for (k, delta) in [hidden, last].enumerated() {
        for i in delta.indices {
          for (j, x) in (a[k] + [1]).enumerated() {
            expected[k][i][j] += delta[i] * x / Double(problem.samples)
          }
        }
      }
    }
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let w = reference.flat
      var g = network.flatZeros()
      let rule = UpdateRule(network, beta: Float(beta), r: r, threads: 1)
      var pass = try Pass.make(network, rule, part.partition, threads: 1)
      for _ in 0..<4 {
        let f = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: 0, ranks)
        #expect(abs(f - reference.objective(Array(0..<90), l2: 0)) < 1e-5 * f)
        for l in 1...2 {
          let found = network.parameters(l, of: g).nested.map { $0.map(Double.init) }
          #expect(relativeDistance(found, expected[l - 1]) < 1e-5, "layer \(l)")
        }
      }
    }
  }
}
