import CCounters
import Definitions
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Sums
import TestSupport
import Testing

/// The objective and its gradient from a pass over the data, against differences of a plain forward pass in double
/// precision.
@Suite(.serialized) struct PassTests {
  private static let depths = [[5, 3], [5, 7, 3], [4, 9, 6, 5, 2]]

  /// Every activation with every loss, in nets of 1, 2 and 4 weight layers.
  @Test(arguments: Activation.allCases, Loss.allCases)
  func theGradientIsThatOfDifferences(_ activation: Activation, _ loss: Loss) throws {
    for (k, widths) in Self.depths.enumerated() {
      for bias in [true, false] {
        let network = Network(widths: widths, activation: activation, loss: loss, bias: bias)
        try expectGradientOfDifferences(network, samples: 41, chunk: 8, l2: bias ? 0.03 : 0, seed: UInt64(k))
      }
    }
  }

  /// One output, outputs and hidden layers of several vectors, chunks of several tiles.
  @Test(arguments: [
    Network(widths: [6, 20, 1], activation: .relu, loss: .logistic, bias: true),
    Network(widths: [6, 20, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [6, 20, 1], activation: .relu, loss: .hinge, bias: false),
    Network(widths: [6, 20, 1], activation: .leaky_relu, loss: .huber, bias: true),
    Network(widths: [6, 52, 1], activation: .hard_tanh, loss: .square, bias: true),
    Network(widths: [6, 20, 1], activation: .hard_sigmoid, loss: .logistic, bias: true),
    Network(widths: [6, 9, 20, 1], activation: .relu, loss: .logistic, bias: true),
    Network(widths: [31, 17, 1], activation: .relu, loss: .logistic, bias: true),
    Network(widths: [5, 1], activation: .relu, loss: .squared_hinge, bias: true),
    Network(widths: [9, 50, 19], activation: .leaky_relu, loss: .softmax, bias: true),
    Network(widths: [9, 3, 40, 17], activation: .hard_tanh, loss: .logistic, bias: true),
  ])
  func ofOtherShapesToo(network: Network) throws {
    try expectGradientOfDifferences(network, samples: 310, chunk: 100, l2: 0.01, seed: 9)
  }

  private func expectGradientOfDifferences(
    _ network: Network, samples: Int, chunk: Int, l2: Double, seed: UInt64
  ) throws {
    let reference = PlainNetwork.smooth(network, samples: samples, chunk: chunk, seed: seed)
    let all = Array(0..<samples)
    try TestWorld.with { ranks in
      let part = reference.problem.part(of: ranks)
      let w = reference.flat
      var g = network.flatZeros()
      var pass = try Pass.make(network, ChainRule(), part.partition, threads: 1)
      let f = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: l2, ranks)
      let expected = reference.objective(all, l2: l2)
      #expect(abs(f - expected) <= 1e-5 * max(1, abs(expected)), "\(network): f = \(f), expected \(expected)")
      var random = SeededGenerator(seed: 77)
      let step = 1e-6
      for l in 1...network.L {
        let found = network.parameters(l, of: g)
        if !network.bias { for i in 0..<found.rows { #expect(found.column(found.columns - 1)[i] == 0) } }
        var entries = (0..<8).map { _ in
          (
            Int.random(in: 0..<found.rows, using: &random),
            Int.random(in: 0..<network.inputs(l), using: &random)
          )
        }
        entries.append((0, network.inputs(l) - 1))
        for (i, j) in entries {
          var (up, down) = (reference, reference)
          up.W[l - 1][i][j] += step
          down.W[l - 1][i][j] -= step
          let slope = (up.objective(all, l2: l2) - down.objective(all, l2: l2)) / (2 * step)
          let own = Double(found.column(j)[i])
          #expect(
            abs(own - slope) <= 2e-5 * max(1, abs(slope)),
            "\(network), layer \(l), (\(i), \(j)): \(own), by differences \(slope)")
        }
      }
    }
  }

  /// The batches of a pass: each gives the mean over its own samples, with the Gram matrices or without, on any
  /// number of threads.
  @Test(arguments: [1, 3]) func aBatchHasItsOwnSamples(threads: Int) throws {
    let network = Network(widths: [5, 7, 4, 3], activation: .relu, loss: .softmax, bias: true)
    let problem = Problem(network, samples: 203, seed: 5, chunk: 10)
    let reference = PlainNetwork(problem, seed: 6)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let w = reference.flat
      var g = network.flatZeros()
      var other = network.flatZeros()
      var pass = try Pass.make(network, ChainRule(), part.partition, threads: threads)
      var visited: [Int] = []
      for index in 0..<4 {
        let batch = Batch(count: 4, index: index, pass: 2, seed: 3)
        var samples: [Int] = []
        batch.forEachChunk(of: part.partition) { samples += $0 * 10..<min(($0 + 1) * 10, 203) }
        #expect(samples.count == batch.samples(of: part.partition))
        visited += samples
        let f = try pass.evaluate(&g, at: w, over: batch, of: part, l2: 0.1, ranks)
        let expected = reference.objective(samples, l2: 0.1)
        #expect(abs(f - expected) < 1e-5 * expected, "batch \(index): \(f), expected \(expected)")
        let again = try pass.evaluate(
          &other, at: w, over: batch, of: part, l2: 0.1, hasGrams: true, ranks)
        #expect(again == f)
        #expect(relativeDistance(doubles(other), doubles(g)) < 1e-6)
        for l in 1..<network.L {
          let active = samples.map { reference.activations($0)[l] + [1] }
          let gram = pass.gram(l)
          for j in 0..<gram.columns {
            for i in 0...j {
              let sum = active.reduce(0) { $0 + $1[i] * $1[j] }
              #expect(abs(gram.column(j)[i] - sum) < 1e-4 * max(1, abs(sum)), "G_\(l) (\(i), \(j))")
            }
          }
        }
      }
      #expect(visited.sorted() == Array(0..<203))
    }
  }

  /// At an optimum the chunks' sums all but cancel; a pass is still one visit and one reduction, and the gradient is
  /// small.
  @Test func anOptimumIsNotMeasuredAgainAndAgain() throws {
    let network = Network(widths: [6, 2], activation: .identity, loss: .square, bias: true)
    let problem = Problem(network, samples: 400, seed: 12, chunk: 10)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var W = network.zeroWeights()
      try fitWeights(&W[1], network, part, ridge: 0, over: ranks) { $0.a0 }
      let w = network.flat(W)
      var g = network.flatZeros()
      var pass = try Pass.make(network, ChainRule(), part.partition, threads: 1)
      for _ in 0..<3 { _ = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: 0, ranks) }
      #expect(g.dot(g) < 1e-12)
      let count = reduction_count()
      for _ in 0..<5 { _ = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: 0, ranks) }
      #expect(reduction_count() - count == (ranks.size > 1 ? 5 : 0))
      // Away from there the sums are as exact as if they had never cancelled.
      let far = network.flatZeros()
      var other = network.flatZeros()
      let f = try pass.evaluate(&g, at: far, over: .whole, of: part, l2: 0, ranks)
      var fresh = try Pass.make(network, ChainRule(), part.partition, threads: 1)
      let again = try fresh.evaluate(&other, at: far, over: .whole, of: part, l2: 0, ranks)
      #expect(again == f)
      #expect(relativeDistance(doubles(other), doubles(g)) < 1e-7)
    }
  }

  private func doubles(_ x: borrowing Matrix<Float>) -> [[Double]] { [x.elements.map(Double.init)] }

  /// A derivative against differences of the loss, entry by entry: all losses, columns of one and of several
  /// vectors.
  @Test(
    arguments: Loss.allCases.flatMap { loss in
      [1, 2, 7, 8, 16, 19].filter { $0 > 1 || !loss.isJoint }.map { (loss, $0) }
    })
  func theDerivativeOfALossIsThatOfDifferences(_ loss: Loss, rows: Int) {
    var random = SeededGenerator(seed: UInt64(rows))
    let columns = 23
    let (own, other) = loss.classTargets
    var y = Matrix<Float>(rows: rows, columns: columns) { _, _ in other }
    for n in 0..<columns {
      y[Int.random(in: 0..<rows, using: &random), n] = own
      if loss.isForRegression { for i in 0..<rows { y[i, n] = Float(random.normal()) } }
    }
    let stride = rows < 8 ? rows : (rows + 15) / 16 * 16
    var z = Matrix<Float>(rows: stride, columns: columns) { _, n in
      Float(random.normal() * (n % 5 == 4 ? 30 : 1.5))
    }
    let given = z.copy()
    let tile = z.mutableRows(0..<rows)
    let total = loss.derivative(tile, y: y.all)
    let expected = loss.value(given.all.rows(0..<rows), y: y.all)
    #expect(abs(total - expected) <= 1e-5 * max(1, expected), "\(total), expected \(expected)")
    let step = 1e-6
    var compared = 0
    for n in 0..<columns {
      let target = (0..<rows).map { Double(y[$0, n]) }
      let at = (0..<rows).map { Double(given[$0, n]) }
      for i in 0..<rows {
        var (up, down) = (at, at)
        up[i] += step
        down[i] -= step
        let sides = (plain(loss, up, target), plain(loss, at, target), plain(loss, down, target))
        // At a kink the two sides differ.
        guard abs(sides.0 - 2 * sides.1 + sides.2) < 1e-8 else { continue }
        compared += 1
        let slope = (sides.0 - sides.2) / (2 * step)
        #expect(
          abs(Double(tile.column(n)[i]) - slope) <= 1e-5 * max(1, abs(slope)), "(\(i), \(n)) at \(at[i])")
      }
    }
    // Kinks are rare.
    #expect(compared >= rows * columns * 9 / 10, "\(compared) of \(rows * columns) entries compared")
  }
}
