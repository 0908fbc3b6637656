import ADMM
import Basics
import Definitions
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Starts, degenerate data and the ends of the range. On one rank and on several.
@Suite(.serialized) struct TaylorTests {
  private static let network = Network(widths: [5, 7, 1], activation: .relu, loss: .hinge, bias: true)

  // MARK: Start

  /// The start values depend on the global sample alone: the first samples of a larger problem have the same.
  @Test func theGaussianStartBelongsToTheSample() throws {
    try TestWorld.with { ranks in
      var z: [[[Double]]] = []
      for samples in [90, 130] {
        let problem = Problem(Self.network, samples: samples, seed: 31)
        let taylor = try PlainTaylor(problem, TaylorSettings(Self.network), over: ranks)
        z.append(
          try gathered(taylor.outputs(1), over: ranks) + gathered(taylor.a[1].rows(0..<7), over: ranks))
      }
      #expect(z[0] == z[1].map { Array($0.prefix(90)) })
      let all = z[1].flatMap { $0 }
      #expect(Set(all).count > all.count - 5, "no number comes twice, but by chance")
    }
  }

  @Test func theGaussianStartIsStandardNormal() throws {
    let network = Network(widths: [2, 20, 10, 3], activation: .relu, loss: .softmax, bias: true)
    let problem = Problem(network, samples: 600, seed: 32)
    try TestWorld.with { ranks in
      let taylor = try PlainTaylor(problem, TaylorSettings(network), over: ranks)
      for l in 1...3 {
        for rows in l < 3
          ? [taylor.outputs(l), taylor.a[l].rows(0..<network.widths[l])] : [taylor.outputs(l)]
        {
          let x = try gathered(rows, over: ranks).flatMap { $0 }
          let n = Double(x.count)
          let mean = x.reduce(0, +) / n
          let variance = x.reduce(0) { $0 + $1 * $1 } / n
          #expect(abs(mean) < 5 / n.squareRoot(), "layer \(l)")
          #expect(abs(variance - 1) < 5 * (2 / n).squareRoot(), "layer \(l)")
        }
      }
      let isLambdaZero = taylor.lambda.elements.allSatisfy { $0 == 0 }
      #expect(isLambdaZero)
    }
  }

  /// The forward start satisfies every constraint of the hidden layers for the random weights.
  @Test func theForwardStartIsAForwardPass() throws {
    let network = Network(widths: [4, 6, 5, 2], activation: .hard_tanh, loss: .square, bias: true)
    let problem = Problem(network, samples: 100, seed: 33)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, start: .forward)
      let taylor = try PlainTaylor(problem, settings, seed: 17, over: ranks)
      var scores = Matrix<Float>(rows: 2, columns: part.count)
      var pass = ForwardPass(network, network.randomWeights(seed: 17), columns: part.count)
      pass(scores.mutableAll, part.a0)
      for n in 0..<part.count { for i in 0..<2 { #expect(abs(scores[i, n] - taylor.z[3][i, n]) <= 1e-5) } }
      for l in 1...2 {
        for n in 0..<part.count {
          for i in 0..<network.widths[l] {
            let expected = plain(network.activation, Double(taylor.z[l][i, n]))
            #expect(abs(Double(taylor.a[l][i, n]) - expected) <= 1e-6)
          }
          #expect(taylor.a[l][network.widths[l], n] == 1, "the row of ones")
        }
      }
    }
  }

  // MARK: Reports

  @Test func reportedNumbersAreThoseRecomputed() throws {
    let network = Network(widths: [4, 6, 5, 3], activation: .relu, loss: .softmax, bias: true)
    let problem = Problem(network, samples: 100, seed: 34)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var taylor = try Taylor.start(problem, part, TaylorSettings(network), over: ranks)
      let plain = try PlainTaylor(problem, TaylorSettings(network), over: ranks)
      for _ in 0..<6 {
        try plain.sweep(over: ranks)
        try taylor.sweep(part, over: ranks, isMeasured: true)
      }
      let reported = try taylor.progress(over: ranks)
      var squares = [String: Double]()
      for n in 0..<part.count {
        var input = (0..<5).map { Double(part.a0.column(n)[$0]) }
        for l in 1...3 {
          let name = l < 3 ? "z" : "last"
          for i in 0..<network.widths[l] {
            let z = Double(plain.z[l][i, n])
            let m = input.indices.reduce(0) { $0 + Double(plain.W[l][i, $1]) * input[$1] }
            squares["\(name) - m", default: 0] += (z - m) * (z - m)
            squares[name, default: 0] += z * z
            guard l < 3 else { continue }
            let a = Double(plain.a[l][i, n])
            squares["a - h", default: 0] += (a - max(z, 0)) * (a - max(z, 0))
            squares["a", default: 0] += a * a
          }
          if l < 3 { input = (0...network.widths[l]).map { Double(plain.a[l][$0, n]) } }
        }
      }
      var expected: [Double] = []
      for (distance, norm) in [("z - m", "z"), ("last - m", "last"), ("a - h", "a")] {
        let (above, below) = (try ranks.sum(squares[distance] ?? 0), try ranks.sum(squares[norm] ?? 0))
        expected.append((above / below).squareRoot())
      }
      let own = [reported.outputResidual, reported.lastOutputResidual, reported.activationResidual]
      for (own, expected) in zip(own, expected) {
        let own = try #require(own)
        #expect(abs(own - expected) <= 1e-5 * expected)
      }
      let largest = try ranks.max(taylor.variables.lambda.elements.reduce(0) { max($0, abs($1)) })
      #expect(reported.largestMultiplier == Double(largest))
      #expect(largest > 0)
    }
  }

  /// λ stays 0 for the sweeps of the warm start, and for ever without a multiplier.
  @Test func warmStart() throws {
    let problem = Problem(Self.network, samples: 80, seed: 35)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      for hasMultiplier in [true, false] {
        let settings = TaylorSettings(Self.network, warmStart: 2, hasMultiplier: hasMultiplier)
        var taylor = try Taylor.start(problem, part, settings, over: ranks)
        for number in 1...3 {
          try taylor.sweep(part, over: ranks, isMeasured: true)
          #expect(taylor.sweeps == number)
          let largest = try taylor.progress(over: ranks).largestMultiplier
          #expect((largest != nil) == hasMultiplier)
          let isZero = try ranks.max(taylor.variables.lambda.elements.reduce(0) { max($0, abs($1)) }) == 0
          #expect(isZero == ((largest ?? 0) == 0))
          #expect(isZero == !(hasMultiplier && number > 2), "sweep \(number)")
        }
      }
    }
  }

  // MARK: Degenerate data

  /// Constant and repeated features, no ridge: a_0 a_0ᵀ is singular. Never an abort, never a silent NaN.
  @Test(arguments: [0, 1e-3])
  func constantAndRepeatedFeatures(ridge: Double) throws {
    let network = Network(widths: [5, 7, 2], activation: .relu, loss: .hinge, bias: true)
    let given = Problem(network, samples: 90, seed: 36)
    let problem = given.withFeatures { i, n, x in i == 0 ? 0 : i == 1 ? 1 : i == 3 ? given.features[2][n] : x
    }
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, ridge: ridge)
      var taylor = try Taylor.start(problem, part, settings, over: ranks)
      for _ in 0..<5 { try taylor.sweep(part, over: ranks, isMeasured: true) }
      try expectFiniteAndEqual(taylor, over: ranks)
      let isReported = taylor.events.contains { $0.contains("W_1") }
      #expect(isReported == (ridge == 0), "\(taylor.events)")
    }
  }

  /// All units of a layer dead: a_1 starts at 0, only its row of ones is left.
  @Test func deadUnits() throws {
    let network = Network(widths: [3, 4, 1], activation: .relu, loss: .logistic, bias: true)
    // No data at all but the ones: forward, every unit starts at 0.
    let problem = Problem(network, samples: 60, seed: 37).withFeatures { _, _, _ in 0 }
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, ridge: 0, start: .forward)
      var taylor = try Taylor.start(problem, part, settings, over: ranks)
      for _ in 0..<5 { try taylor.sweep(part, over: ranks, isMeasured: true) }
      try expectFiniteAndEqual(taylor, over: ranks)
    }
  }

  /// One sample a chunk and fewer samples than ranks: some ranks own nothing.
  @Test(arguments: [1, 2, 3])
  func moreRanksThanSamples(samples: Int) throws {
    let problem = Problem(Self.network, samples: samples, seed: 38, chunk: 1)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var taylor = try Taylor.start(problem, part, TaylorSettings(Self.network), over: ranks)
      for _ in 0..<5 { try taylor.sweep(part, over: ranks, isMeasured: true) }
      try expectFiniteAndEqual(taylor, over: ranks)
    }
  }

  /// W is finite, and has the same bits on every rank.
  private func expectFiniteAndEqual(_ taylor: borrowing Taylor, over ranks: borrowing Communicator) throws {
    for l in 1...taylor.network.L {
      let own = taylor.W[l].elements.map { Int(exactly: $0.bitPattern) ?? 0 }
      let isFinite = taylor.W[l].elements.allSatisfy { $0.isFinite }
      #expect(isFinite, "W_\(l)")
      let every = try ranks.gather(own)
      #expect(every.allSatisfy { $0 == own }, "W_\(l) differs among the ranks")
    }
    let value = try taylor.progress(over: ranks).objective
    #expect(value.isFinite)
  }

  // MARK: Numbers that leave the range

  /// A NaN or an infinity in the last rank's part ends in one error that all ranks share.
  @Test(arguments: [Float.nan, .infinity, 1e30])
  func numbersThatCannotBeSummed(value: Float) throws {
    let problem = Problem(Self.network, samples: 64, seed: 39).withFeatures { i, n, x in
      i == 2 && n == 63 ? Double(value) : x
    }
    TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      do {
        var taylor = try Taylor.start(problem, part, TaylorSettings(Self.network), over: ranks)
        try taylor.sweep(part, over: ranks)
        Issue.record("a sum with \(value) was taken")
      } catch {
        #expect(error as? NumericalError == .notFinite(sum: "a_0 a_0ᵀ"), "\(error)")
      }
    }
  }
}
