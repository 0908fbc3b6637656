import CCounters
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Sums
import TestSupport
import Testing

/// The objective and its gradient from a pass over the data, against differences of a plain forward pass in double precision.
@Suite(.serialized) struct GradientPassTests {
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
    let (problem, reference) = smoothProblem(network, samples: samples, chunk: chunk, seed: seed)
    let W = reference.W
    let all = Array(0..<samples)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let w = network.flatZeros()
      let g = network.flatZeros()
      for l in 1...network.L {
        let to = network.parameters(l, of: w)
        for (i, row) in W[l - 1].enumerated() {
          for (j, x) in row.enumerated() { to.column(j)[i] = Float(x) }
        }
      }
      var pass = try GradientPass.make(
        network, a0: part.a0.all, y: part.y.all, partition: part.partition, rank: ranks.rank, threads: 1)
      let f = try pass.evaluate(g, at: w, over: .whole, l2: l2, ranks)
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

  /// A problem and weights so that nothing lies at a kink: there differences see both sides.
  private func smoothProblem(
    _ network: Network, samples: Int, chunk: Int, seed: UInt64
  ) -> (Problem, PlainNetwork) {
    for attempt in 0..<200 {
      let seed = 1000 * seed + UInt64(attempt)
      let problem = Problem(network, samples: samples, seed: seed, chunk: chunk)
      let reference = PlainNetwork(problem, seed: seed)
      if reference.distanceFromKinks() > 2e-5 { return (problem, reference) }
    }
    preconditionFailure("no problem of \(network) without kinks nearby")
  }

  /// The blocks of a pass: each gives the mean over its own samples, with the Gram matrices or without, on any number of threads.
  @Test(arguments: [1, 3]) func aBlockHasItsOwnSamples(threads: Int) throws {
    let network = Network(widths: [5, 7, 4, 3], activation: .relu, loss: .softmax, bias: true)
    let problem = Problem(network, samples: 203, seed: 5, chunk: 10)
    let reference = PlainNetwork(problem, seed: 6)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let w = reference.flat
      let g = network.flatZeros()
      let other = network.flatZeros()
      var pass = try GradientPass.make(
        network, a0: part.a0.all, y: part.y.all, partition: part.partition, rank: ranks.rank, threads: threads
      )
      var visited: [Int] = []
      for index in 0..<4 {
        let block = Block(count: 4, index: index, pass: 2, seed: 3)
        var samples: [Int] = []
        block.forEachChunk(of: part.partition) { samples += $0 * 10..<min(($0 + 1) * 10, 203) }
        #expect(samples.count == block.samples(of: part.partition))
        visited += samples
        let f = try pass.evaluate(g, at: w, over: block, l2: 0.1, ranks)
        let expected = reference.objective(samples, l2: 0.1)
        #expect(abs(f - expected) < 1e-5 * expected, "block \(index): \(f), expected \(expected)")
        let again = try pass.evaluate(other, at: w, over: block, l2: 0.1, hasGrams: true, ranks)
        #expect(again == f)
        #expect(relativeDistance(doubles(other), doubles(g)) < 1e-6)
        for l in 1..<network.L {
          let active = samples.map { reference.activations($0)[l] + [1] }
          pass.withGram(l) { gram in
            for j in 0..<gram.columns {
              for i in 0...j {
                let sum = active.reduce(0) { $0 + $1[i] * $1[j] }
                #expect(abs(gram[i, j] - sum) < 1e-4 * max(1, abs(sum)), "G_\(l) (\(i), \(j))")
              }
            }
          }
        }
      }
      #expect(visited.sorted() == Array(0..<203))
    }
  }

  /// At an optimum the chunks' sums all but cancel; a pass is still one visit and one reduction, and the gradient is small.
  @Test func anOptimumIsNotMeasuredAgainAndAgain() throws {
    let network = Network(widths: [6, 2], activation: .identity, loss: .square, bias: true)
    let problem = Problem(network, samples: 400, seed: 12, chunk: 10)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let W = network.zeroWeights()
      try fitWeights(W[1], outputs: part.y.all, network, ridge: 0, part.partition, over: ranks) {
        part.a0.columns($0)
      }
      let w = network.flat(W)
      let g = network.flatZeros()
      var pass = try GradientPass.make(
        network, a0: part.a0.all, y: part.y.all, partition: part.partition, rank: ranks.rank, threads: 1)
      for _ in 0..<3 { _ = try pass.evaluate(g, at: w, over: .whole, l2: 0, ranks) }
      #expect(g.dot(g) < 1e-12)
      let count = reduction_count()
      for _ in 0..<5 { _ = try pass.evaluate(g, at: w, over: .whole, l2: 0, ranks) }
      #expect(reduction_count() - count == (ranks.size > 1 ? 5 : 0))
      // Away from there the sums are as exact as if they had never cancelled.
      let far = network.flatZeros()
      let other = network.flatZeros()
      let f = try pass.evaluate(g, at: far, over: .whole, l2: 0, ranks)
      var fresh = try GradientPass.make(
        network, a0: part.a0.all, y: part.y.all, partition: part.partition, rank: ranks.rank, threads: 1)
      #expect(try fresh.evaluate(other, at: far, over: .whole, l2: 0, ranks) == f)
      #expect(relativeDistance(doubles(other), doubles(g)) < 1e-7)
    }
  }

  /// Algorithm 1's updates in place of derivatives, of a network with the square loss, where the update of z_2 is
  /// (y + β m) / (1 + β): against their formulae.
  @Test(arguments: [[5, 8, 2], [5, 1, 2], [5, 20, 1]]) func theUpdatesAreThoseOfAlgorithm1(widths: [Int])
    throws
  {
    let network = Network(widths: widths, activation: .leaky_relu, loss: .square, bias: true)
    let (beta, r) = (0.3, 0.1)
    let (problem, reference) = smoothProblem(network, samples: 90, chunk: 8, seed: 31)
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
      let g = network.flatZeros()
      var pass = try GradientPass.make(
        network, a0: part.a0.all, y: part.y.all, partition: part.partition, rank: ranks.rank, threads: 1,
        propagation: .updates(beta: Float(beta), r: r))
      for _ in 0..<4 {
        let f = try pass.evaluate(g, at: w, over: .whole, l2: 0, ranks)
        #expect(abs(f - reference.objective(Array(0..<90), l2: 0)) < 1e-5 * f)
        for l in 1...2 {
          let found = network.parameters(l, of: g).nested.map { $0.map(Double.init) }
          #expect(relativeDistance(found, expected[l - 1]) < 1e-5, "layer \(l)")
        }
      }
    }
  }

  private func doubles(_ x: borrowing Matrix<Float>) -> [[Double]] { [x.elements.map(Double.init)] }

  /// A derivative against differences of the loss, entry by entry: all losses, columns of one and of several vectors.
  @Test(arguments: Loss.allCases, [1, 2, 7, 8, 16, 19])
  func theDerivativeOfALossIsThatOfDifferences(_ loss: Loss, rows: Int) {
    guard rows > 1 || !loss.isJoint else { return }
    var random = SeededGenerator(seed: UInt64(rows))
    let columns = 23
    let (own, other) = loss.classTargets
    let y = Matrix<Float>(rows: rows, columns: columns) { _, _ in other }
    for n in 0..<columns {
      y[Int.random(in: 0..<rows, using: &random), n] = own
      if loss.isForRegression { for i in 0..<rows { y[i, n] = Float(random.normal()) } }
    }
    let stride = rows < 8 ? rows : (rows + 15) / 16 * 16
    let z = Matrix<Float>(rows: stride, columns: columns) { _, n in
      Float(random.normal() * (n % 5 == 4 ? 30 : 1.5))
    }
    let given = z.copy()
    let tile = z.all.rows(0..<rows)
    let total = loss.derivative(tile, y: y.all)
    let expected = loss.value(given.all.rows(0..<rows), y: y.all)
    #expect(abs(total - expected) <= 1e-5 * max(1, expected), "\(total), expected \(expected)")
    let step = 1e-6
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
        let slope = (sides.0 - sides.2) / (2 * step)
        #expect(
          abs(Double(tile.column(n)[i]) - slope) <= 1e-5 * max(1, abs(slope)), "(\(i), \(n)) at \(at[i])")
      }
    }
  }
}

/// A network in double precision with the data of a problem, one sample at a time.
private struct PlainNetwork {
  let network: Network
  let problem: Problem
  /// W_l at l − 1: rows of d_{l−1} + 1, the last column 0 without a bias.
  var W: [[[Double]]]

  /// Normal weights of about the size of a start, biases included; all in single precision.
  init(_ problem: Problem, seed: UInt64) {
    let network = problem.network
    var random = SeededGenerator(seed: seed ^ 0xABCD)
    self.network = network
    self.problem = problem
    W = (1...network.L).map { l in
      (0..<network.widths[l]).map { _ in
        (0...network.widths[l - 1]).map { j in
          j < network.inputs(l)
            ? Double(Float(random.normal() / Double(network.widths[l - 1]).squareRoot())) : 0
        }
      }
    }
  }

  /// All weights in one column.
  var flat: Matrix<Float> {
    let flat = network.flatZeros()
    for l in 1...network.L {
      let to = network.parameters(l, of: flat)
      for (i, row) in W[l - 1].enumerated() { for (j, x) in row.enumerated() { to.column(j)[i] = Float(x) } }
    }
    return flat
  }

  /// z_1 … z_L of a sample.
  func outputs(_ n: Int) -> [[Double]] {
    var input = problem.features.map { $0[n] }
    return W.indices.map { k in
      let z = W[k].map { row in zip(row, input + [1]).reduce(0) { $0 + $1.0 * $1.1 } }
      input = z.map { plain(network.activation, $0) }
      return z
    }
  }

  /// a_0 … a_{L−1} of a sample.
  func activations(_ n: Int) -> [[Double]] {
    [problem.features.map { $0[n] }] + outputs(n).dropLast().map { $0.map { plain(network.activation, $0) } }
  }

  private func target(_ n: Int) -> [Double] { problem.targets.map { $0[n] } }

  /// The mean loss and ½ l2 ‖V‖².
  func objective(_ samples: [Int], l2: Double) -> Double {
    let loss = samples.reduce(0) { $0 + plain(network.loss, outputs($1)[network.L - 1], target($1)) }
    let squares = W.reduce(0) { sum, W in
      W.reduce(sum) { sum, row in row.dropLast().reduce(sum) { $0 + $1 * $1 } }
    }
    return loss / Double(samples.count) + 0.5 * l2 * squares
  }

  /// How far the nearest output of any sample is from a kink of h or of the loss.
  func distanceFromKinks() -> Double {
    var least = Double.infinity
    let kinks = kinks(network.activation)
    for n in 0..<problem.samples {
      let z = outputs(n)
      for z in z.dropLast() { for x in z { for kink in kinks { least = min(least, abs(x - kink)) } } }
      let (last, y) = (z[network.L - 1], target(n))
      switch network.loss {
      case .hinge, .squared_hinge: for (z, y) in zip(last, y) { least = min(least, abs(1 - y * z)) }
      case .huber: for (z, y) in zip(last, y) { least = min(least, abs(abs(z - y) - 1)) }
      case .multiclass_hinge:
        let own = zip(last, y).reduce(0) { $0 + $1.0 * $1.1 }
        let others = zip(last, y).filter { $0.1 < 0.5 }.map(\.0).sorted(by: >)
        least = min(least, abs(1 + others[0] - own))
        if others.count > 1 { least = min(least, others[0] - others[1]) }
      case .square, .logistic, .softmax: break
      }
    }
    return least
  }
}
