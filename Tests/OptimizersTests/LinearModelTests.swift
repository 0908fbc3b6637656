import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// The linear model against NumPy's least squares.
@Suite(.serialized)
struct LinearModelTests {
  private struct Input: Encodable {
    let a0, y: [[Double]]
  }

  private struct Output: Decodable {
    let W: [[Double]]
  }

  private static let leastSquares = """
    import json, sys
    import numpy as np
    data = json.load(open(sys.argv[1]))
    a0, y = np.array(data["a0"]), np.array(data["y"])
    W = np.linalg.lstsq(a0.T, y.T, rcond=None)[0].T
    json.dump({"W": W.tolist()}, open(sys.argv[2], "w"))
    """

  /// A rank's part of all samples.
  private func part(_ a0: Tile<Float>, _ y: Tile<Float>, of ranks: borrowing Communicator) -> Samples {
    let partition = Partition(samples: a0.columns, ranks: ranks.size)
    let own = partition.range(of: ranks.rank)
    return Samples(
      features: Matrix(copying: a0.columns(own)), targets: Matrix(copying: y.columns(own)),
      partition: partition, rank: ranks.rank)
  }

  /// Each rank fits its part of the same data; NumPy gets all of it.
  @Test(.enabled(if: Python.isAvailable, "\(Python.howToInstall)"), arguments: [(4, 1, 300), (12, 3, 500)])
  func isTheLeastSquaresFit(features d: Int, outputs: Int, samples: Int) throws {
    try TestWorld.with { ranks in
      var random = SeededGenerator(seed: UInt64(d))
      let a0 = Matrix<Float>(rows: d + 1, columns: samples) { i, _ in i == d ? 1 : Float(random.normal()) }
      var y = Matrix<Float>(rows: outputs, columns: samples) { _, _ in Float(random.normal()) }
      // A dependence for the fit to find.
      for n in 0..<samples {
        for k in 0..<outputs { y[k, n] += 2 * a0[k, n] - 1 }
      }
      let model = try LinearModel(part(a0.all, y.all, of: ranks), ridge: 0, over: ranks)
      let expected: Output = try Python.run(
        program: Self.leastSquares,
        input: Input(
          a0: a0.all.nested.map { $0.map(Double.init) }, y: y.all.nested.map { $0.map(Double.init) }))
      #expect(relativeDistance(model.W[1].all.nested.map { $0.map(Double.init) }, expected.W) < 1e-5)
    }
  }

  /// A constant feature makes the system singular; the fit must still be finite and use the other features.
  @Test func aConstantFeatureIsNoObstacle() throws {
    try TestWorld.with { ranks in
      let samples = 200
      var random = SeededGenerator(seed: 5)
      let a0 = Matrix<Float>(rows: 4, columns: samples) { i, _ in
        i == 1 ? 0 : i == 3 ? 1 : Float(random.normal())
      }
      let y = Matrix<Float>(rows: 1, columns: samples) { _, n in 3 * a0[0, n] - a0[2, n] + 0.5 }
      let model = try LinearModel(part(a0.all, y.all, of: ranks), over: ranks)
      let W = model.W[1].all.nested[0]
      #expect(abs(W[0] - 3) < 1e-3 && abs(W[2] + 1) < 1e-3 && abs(W[3] - 0.5) < 1e-3)
      #expect(abs(W[1]) < 1e-3)
    }
  }
}
