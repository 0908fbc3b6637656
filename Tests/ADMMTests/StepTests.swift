import ADMM
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Algorithm 1 one block at a time.
@Suite(.serialized) struct StepTests {
  private static let networks = [
    Network(widths: [5, 7, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [5, 7, 1], activation: .relu, loss: .logistic, bias: false),
    Network(widths: [4, 6, 5, 2], activation: .leaky_relu, loss: .square, bias: true),
    Network(widths: [6, 4, 8, 5, 3], activation: .hard_tanh, loss: .softmax, bias: true),
    Network(widths: [5, 8, 3], activation: .hard_sigmoid, loss: .multiclass_hinge, bias: true),
    Network(widths: [5, 6, 2], activation: .identity, loss: .huber, bias: false),
    Network(widths: [5, 1], activation: .relu, loss: .squared_hinge, bias: true),
  ]

  /// W, z_l, λ and a_l of one, two and six sweeps have the bits of the paper's order, however they are stored, cut
  /// and shared out.
  @Test(arguments: networks, [StartValues.gaussian, .forward])
  func aSweepHasTheBitsOfThePapersOrder(network: Network, start: StartValues) throws {
    try expectBitsOfThePapersOrder(Problem(network, samples: 130, seed: 21), start: start)
  }

  /// Few outputs of hidden and last layers, which are stacked below activations where the padding has room: at the
  /// boundaries.
  @Test(
    arguments: [
      [6, 9, 3, 2], [6, 20, 1, 4, 1], [5, 1, 1], [5, 14, 1], [5, 15, 1], [5, 16, 1], [5, 256, 1],
    ], [true, false])
  func aSweepOfFewOutputsHasTheBitsOfThePapersOrder(widths: [Int], bias: Bool) throws {
    let network = Network(widths: widths, activation: .relu, loss: .hinge, bias: bias)
    try expectBitsOfThePapersOrder(Problem(network, samples: 110, seed: 28, chunk: 20), start: .gaussian)
  }

  /// Blocks of all sizes, columns of several vectors, chunks of several tiles.
  @Test(arguments: [
    Network(widths: [28, 100, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [50, 48, 33, 20, 10], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [17, 30, 64, 3], activation: .leaky_relu, loss: .square, bias: false),
    Network(widths: [40, 18], activation: .relu, loss: .squared_hinge, bias: true),
  ])
  func aSweepOfWiderNetsHasTheBitsOfThePapersOrder(network: Network) throws {
    try expectBitsOfThePapersOrder(Problem(network, samples: 700, seed: 27, chunk: 100), start: .gaussian)
  }

  private func expectBitsOfThePapersOrder(_ problem: Problem, start: StartValues) throws {
    let network = problem.network
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, warmStart: 1, start: start)
      let variants: [(storage: ActivationStorage, threads: Int, tileColumns: Int?)] = [
        (.recomputed, 1, 24), (.stored, 1, nil), (.automatic, 3, 8),
      ]
      for (storage, threads, tileColumns) in variants {
        var settings = settings
        settings.storage = storage
        let plain = try PlainTaylor(problem, settings, over: ranks)
        var taylor = try Taylor.start(
          problem, part, settings, threads: threads, tileColumns: tileColumns, over: ranks)
        for number in 1...6 {
          try plain.sweep(over: ranks)
          try taylor.sweep(part, over: ranks)
          let place = "after sweep \(number), \(storage), \(threads) threads"
          for l in 1...network.L {
            let isW = taylor.W[l].elements.elementsEqual(plain.W[l].elements)
            #expect(isW, "W_\(l) \(place)")
            let isZ = taylor.variables.z[l].rows(0..<network.widths[l]).nested == plain.outputs(l).nested
            #expect(isZ, "z_\(l) \(place)")
          }
          let isLambda = taylor.variables.lambda.elements.elementsEqual(plain.lambda.elements)
          #expect(isLambda, "λ \(place)")
        }
      }
    }
  }

  /// Every step but the multiplier's minimises (O) over one block. A wrong sign or index nearly always raises it.
  ///
  /// Without a ridge, which is not part of (O).
  @Test(arguments: networks, [false, true])
  func noStepRaisesTheObjective(network: Network, hasMultiplier: Bool) throws {
    let problem = Problem(network, samples: 140, seed: 22)
    let settings = TaylorSettings(
      network, beta: 2, gamma: 5, ridge: 0, warmStart: 0, hasMultiplier: hasMultiplier)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let taylor = try PlainTaylor(problem, settings, over: ranks)
      var whole = try Taylor.start(problem, part, settings, over: ranks)
      var before = try PlainObjective(taylor, over: ranks)
      let start = before.value
      for number in 1...8 {
        try taylor.sweep(over: ranks) { step, isDone in
          guard isDone else { return }
          let now = try PlainObjective(taylor, over: ranks)
          let rise = (now.value - before.value) / before.scale
          #expect(step == .multiplier || rise <= 1e-6, "\(step) of sweep \(number): by \(rise)")
          before = now
        }
        try whole.sweep(part, over: ranks, isMeasured: true)
        let reported = try whole.progress(over: ranks)
        #expect(abs(reported.objective - before.value) <= 1e-5 * before.scale, "the reported objective")
      }
      #expect(
        hasMultiplier || before.value < 0.9 * start, "from \(start) to \(before.value): hardly any descent")
      #expect(taylor.events.isEmpty)
    }
  }

  /// W_l from the reduced sums = W_l from a QR factorisation of all ranks' columns, before each of its updates.
  @Test(arguments: networks, [0, 1e-3])
  func weightsSolveTheirLeastSquaresProblem(network: Network, ridge: Double) throws {
    let problem = Problem(network, samples: 150, seed: 23)
    try expectLeastSquaresWeights(problem, TaylorSettings(network, ridge: ridge, warmStart: 0), within: 1e-4)
  }

  /// The sums' common grid must follow them, however far and fast they go: the targets drag z_L from 1 to their own
  /// size, at once where β is small.
  @Test(
    arguments: [(1e-6, 1), (1e-3, 1), (1e4, 1), (1e7, 1), (1e-10, 1e-12), (1e10, 1e-3)] as [(Double, Float)])
  func weightsOfFarAwayTargets(scale: Double, beta: Float) throws {
    let network = Network(widths: [5, 7, 2], activation: .relu, loss: .square, bias: true)
    let problem = Problem(network, samples: 150, seed: 24, targetScale: scale)
    try expectLeastSquaresWeights(problem, TaylorSettings(network, beta: beta, warmStart: 0), within: 1e-4)
  }

  /// A product that is small beside its addends, chunk against chunk, keeps what single precision gives.
  @Test(arguments: [1, 3, 50, 150])
  func weightsOfAnyChunk(chunk: Int) throws {
    let network = Network(widths: [5, 6, 1], activation: .relu, loss: .hinge, bias: true)
    let problem = Problem(network, samples: 150, seed: 25, chunk: chunk)
    try expectLeastSquaresWeights(problem, TaylorSettings(network, warmStart: 0), within: 1e-4)
  }

  private func expectLeastSquaresWeights(
    _ problem: Problem, _ settings: TaylorSettings, within bound: Double
  ) throws {
    let network = problem.network
    try TestWorld.with { ranks in
      let taylor = try PlainTaylor(problem, settings, over: ranks)
      var expected: [[Double]] = []
      for number in 1...6 {
        try taylor.sweep(over: ranks) { step, isDone in
          guard case .weights(let l) = step else { return }
          if isDone {
            let own = taylor.W[l].columns(0..<network.inputs(l)).nested.map { $0.map(Double.init) }
            let distance = relativeDistance(own, expected)
            #expect(distance <= bound, "W_\(l) of sweep \(number) is off by \(distance)")
          } else {
            let a = try gathered(taylor.inputs(l), over: ranks)
            let z = try gathered(taylor.outputs(l), over: ranks)
            let trace = a.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
            expected = leastSquares(a, z, ridge: settings.ridge * trace / Double(a.count))
          }
        }
      }
    }
  }
}
