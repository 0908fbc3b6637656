import ADMM
import LinearAlgebra
import MPI
import TestSupport
import Testing

/// Algorithm 1 one block at a time.
@Suite(.serialized) struct StepTests {
  private enum Step: Equatable {
    case weights(Int), activations(Int), outputs(Int), lastOutputs, multiplier
  }

  /// One sweep, with a call before and after each of its steps. Collective.
  ///
  /// `stepsMakeASweep` shows that it has the bits of `Taylor.sweep`.
  private func sweep(
    _ taylor: inout Taylor, over ranks: borrowing Communicator,
    _ watch: (Step, _ isDone: Bool, borrowing Taylor) throws -> Void
  ) throws {
    let L = taylor.network.L
    let chunk = taylor.partition.chunk
    let count = taylor.z[L].columns
    precondition(chunk <= 256, "a chunk of \(chunk) is more than a tile")
    let chunks = stride(from: 0, to: count, by: chunk).map { $0..<min($0 + chunk, count) }
    for l in 1..<L {
      try watch(.weights(l), false, taylor)
      try taylor.updateWeights(l)
      try watch(.weights(l), true, taylor)
      for columns in chunks { taylor.updateActivations(l, columns) }
      try watch(.activations(l), true, taylor)
      for columns in chunks {
        taylor.updateOutputs(l, columns)
        taylor.addSums(l + 1, columns, of: columns)
        taylor.closeChunk(l + 1)
      }
      try watch(.outputs(l), true, taylor)
      try taylor.reduceSums(l + 1, over: ranks)
    }
    try watch(.weights(L), false, taylor)
    try taylor.updateWeights(L)
    try watch(.weights(L), true, taylor)
    for columns in chunks { taylor.updateLastOutputs(columns) }
    try watch(.lastOutputs, true, taylor)
    for columns in chunks {
      // The multiplier's step finds W_L a_{L−1} where the step before has left it; z_L is at its minimum and stays.
      taylor.updateLastOutputs(columns)
      taylor.updateMultiplier(columns)
      if L == 1 {
        taylor.addSums(1, columns, of: columns)
        taylor.closeChunk(1)
      }
    }
    try watch(.multiplier, true, taylor)
    if L == 1 { try taylor.reduceSums(1, over: ranks) }
  }

  private static let networks = [
    Network(widths: [5, 7, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [5, 7, 1], activation: .relu, loss: .logistic, bias: false),
    Network(widths: [4, 6, 5, 2], activation: .leaky_relu, loss: .square, bias: true),
    Network(widths: [6, 4, 8, 5, 3], activation: .hard_tanh, loss: .softmax, bias: true),
    Network(widths: [5, 8, 3], activation: .hard_sigmoid, loss: .multiclass_hinge, bias: true),
    Network(widths: [5, 6, 2], activation: .identity, loss: .huber, bias: false),
    Network(widths: [5, 1], activation: .relu, loss: .squared_hinge, bias: true),
  ]

  @Test(arguments: networks)
  func stepsMakeASweep(network: Network) throws {
    let problem = Problem(network, samples: 130, seed: 21)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, warmStart: 0)
      var stepped = try Taylor.start(problem, part, settings, over: ranks)
      var whole = try Taylor.start(problem, part, settings, over: ranks)
      for _ in 0..<4 {
        try sweep(&stepped, over: ranks) { _, _, _ in }
        try whole.sweep(over: ranks)
      }
      for l in 1...network.L {
        let (own, other) = (Array(stepped.W[l].elements), Array(whole.W[l].elements))
        #expect(own == other, "W_\(l)")
        let (ownOutputs, otherOutputs) = (Array(stepped.z[l].elements), Array(whole.z[l].elements))
        #expect(ownOutputs == otherOutputs, "z_\(l)")
      }
      let (own, other) = (Array(stepped.lambda.elements), Array(whole.lambda.elements))
      #expect(own == other, "λ")
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
      var taylor = try Taylor.start(problem, part, settings, over: ranks)
      var before = try PlainObjective(taylor, part, over: ranks)
      let start = before.value
      for number in 1...8 {
        try sweep(&taylor, over: ranks) { step, isDone, taylor in
          guard isDone else { return }
          let now = try PlainObjective(taylor, part, over: ranks)
          let rise = (now.value - before.value) / before.scale
          #expect(step == .multiplier || rise <= 1e-6, "\(step) of sweep \(number): by \(rise)")
          before = now
        }
        let reported = try taylor.objective(over: ranks)
        #expect(abs(reported.value - before.value) <= 1e-5 * before.scale, "the reported objective")
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

  /// The sums' common grid must follow them, however far and fast they go: the targets drag z_L from 1 to their own size, at once
  /// where β is small.
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
      let part = problem.part(of: ranks)
      var taylor = try Taylor.start(problem, part, settings, over: ranks)
      var expected: [[Double]] = []
      for number in 1...6 {
        try sweep(&taylor, over: ranks) { step, isDone, taylor in
          guard case .weights(let l) = step else { return }
          if isDone {
            let own = taylor.W[l].columns(0..<network.inputs(l)).nested.map { $0.map(Double.init) }
            let distance = relativeDistance(own, expected)
            #expect(distance <= bound, "W_\(l) of sweep \(number) is off by \(distance)")
          } else {
            let inputs = network.inputs(l)
            let a = try gathered(
              l == 1 ? part.a0.rows(0..<inputs) : taylor.a[l - 1].rows(0..<inputs), over: ranks)
            let z = try gathered(taylor.z[l].all, over: ranks)
            let trace = a.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
            expected = leastSquares(a, z, ridge: settings.ridge * trace / Double(a.count))
          }
        }
      }
    }
  }
}
