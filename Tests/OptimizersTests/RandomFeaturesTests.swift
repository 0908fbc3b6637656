import LinearAlgebra
import MPI
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// Random features against the normal equations of the last layer, from a plain forward pass in double precision.
@Suite(.serialized) struct RandomFeaturesTests {
  @Test(arguments: [([4, 9, 3], true), ([4, 9, 3], false), ([5, 20, 6, 1], true), ([3, 2], true)])
  func theLastLayerIsTheLeastSquaresFit(widths: [Int], bias: Bool) throws {
    let network = Network(widths: widths, activation: .relu, loss: .hinge, bias: bias)
    let (L, samples, ridge) = (network.L, 700, 1e-3)
    var random = SeededGenerator(seed: 9)
    let features = (0..<samples).map { _ in (0..<widths[0]).map { _ in Double(Float(random.normal())) } }
    let targets = features.map { x in (0..<widths[L]).map { x[$0 % widths[0]] > 0.3 ? 1.0 : -1.0 } }
    try TestWorld.with { ranks in
      let partition = Partition(samples: samples, ranks: ranks.size, chunk: 300)
      let own = partition.range(of: ranks.rank)
      let a0 = Matrix<Float>(rows: widths[0] + 1, columns: own.count) { i, j in
        i == widths[0] ? 1 : Float(features[own.lowerBound + j][i])
      }
      let y = Matrix<Float>(rows: widths[L], columns: own.count) { i, j in
        Float(targets[own.lowerBound + j][i])
      }
      let part = Samples(features: a0, targets: y, partition: partition, rank: ranks.rank)
      let model = try RandomFeatures.fit(network, part, seed: 5, ridge: ridge, over: ranks)
      // The hidden layers are the start's.
      let drawn = network.randomWeights(seed: 5)
      for l in 1..<L { #expect(model.W[l].all.nested == drawn[l].all.nested) }
      // (y − W a) aᵀ = ρ W.
      var weights: [[[Double]]] = []
      for l in 1...L { weights.append(model.W[l].all.nested.map { $0.map(Double.init) }) }
      if !bias { #expect(weights[L - 1].allSatisfy { $0.last == 0 }) }
      let d = network.inputs(L)
      var (rest, square) = ([[Double]](repeating: [Double](repeating: 0, count: d), count: widths[L]), 0.0)
      var size = 0.0
      for (x, y) in zip(features, targets) {
        var a = x + [1]
        for W in weights.dropLast() {
          a = W.map { row in max(0, zip(row, a).reduce(0) { $0 + $1.0 * $1.1 }) } + [1]
        }
        for j in 0..<d { square += a[j] * a[j] / Double(d) }
        for i in y.indices {
          let error = y[i] - zip(weights[L - 1][i], a).reduce(0) { $0 + $1.0 * $1.1 }
          for j in 0..<d {
            rest[i][j] += error * a[j]
            size += abs(y[i] * a[j])
          }
        }
      }
      for i in rest.indices {
        for j in 0..<d {
          let left = rest[i][j] - ridge * square * weights[L - 1][i][j]
          #expect(abs(left) < 1e-5 * size, "(\(i), \(j)): \(left) of \(size)")
        }
      }
    }
  }
}
