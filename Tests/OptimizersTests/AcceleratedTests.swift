import Basics
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// The paper's data-parallel scheme around consistent activations.
@Suite(.serialized) struct AcceleratedTests {
  struct Case: CustomStringConvertible, Sendable {
    var widths: [Int]
    var loss: Loss
    var activation = Activation.relu
    var bias = true
    var form = AcceleratedForm.quasi_newton
    /// Samples of a batch; nil is all.
    var block: Int? = 32
    var threads = 1
    /// A step so long that the objective rises now and then; nil is a shorter one.
    var step: Double? = nil

    var description: String {
      "\(widths) \(loss) \(activation)\(bias ? "" : " no bias") \(form) \(block ?? 0)"
    }
  }

  private struct Input: Encodable {
    let a0, y: [[Double]]
    let activation, loss: String
    let bias: Bool
    let W: [[[Double]]]
    let form: String
    let beta, r, l2, ridge, step, momentum, keep: Double
    let restarts: Bool
    let blocks: [[Int]]
  }

  private struct Report: Decodable {
    let W: [[[Double]]]
    let objectives: [Double]
  }

  static let cases = [
    Case(widths: [5, 7, 1], loss: .hinge),
    Case(widths: [5, 20, 1], loss: .logistic, bias: false, threads: 3),
    Case(widths: [6, 18, 5, 9, 3], loss: .softmax, activation: .hard_tanh),
    Case(widths: [4, 19, 2], loss: .square, activation: .leaky_relu),
    Case(widths: [6, 3], loss: .softmax),
    Case(widths: [5, 7, 1], loss: .hinge, form: .momentum),
    Case(widths: [6, 18, 5, 9, 3], loss: .softmax, form: .momentum, threads: 2),
    Case(widths: [4, 5, 19], loss: .logistic, activation: .hard_tanh, bias: false, form: .momentum),
    Case(widths: [5, 9, 2], loss: .square, form: .momentum, block: nil),
    Case(widths: [5, 20, 3], loss: .softmax, form: .momentum, block: nil),
    Case(widths: [5, 20, 3], loss: .softmax, form: .momentum, block: nil, step: 2.5),
  ]

  /// Steps on batches, and steps of the momentum form on all samples, against `accelerated.py`, which lies beside
  /// this file.
  @Test(.enabled(if: Python.isAvailable, "\(Python.howToInstall)"), arguments: cases)
  func stepsAreThoseOfTheReference(net: Case) throws {
    let network = Network(widths: net.widths, activation: net.activation, loss: net.loss, bias: net.bias)
    let problem = Problem(network, samples: 195, seed: 50, chunk: 8)
    var settings = AcceleratedSettings()
    (settings.form, settings.block) = (net.form, net.block ?? problem.samples)
    settings.l2 = 0.02
    settings.step = net.step ?? (net.form == .momentum || net.loss == .square ? 0.1 : 0.3)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try settings.start(
        network, part, StartOptions(seed: 3, threads: net.threads), over: ranks)
      let start = network.randomWeights(seed: 3)
      let W = (1...network.L).map { l in start[l].all.nested.map { $0.map(Double.init) } }
      var sweeps = [[Batch]](repeating: [.whole], count: 12)
      if let block = net.block {
        let batches = Batch.count(ofAtLeast: block, part.partition)
        try #require(batches == 6)
        var walk = BatchWalk(part.partition, batches: batches, firstSweep: 4 * block, seed: 3)
        sweeps = (0..<4).map { _ in walk.nextSweep() }
      }
      let partition = part.partition
      let samples = sweeps.flatMap { $0 }.map { batch in
        var samples: [Int] = []
        batch.forEachChunk(of: partition) { samples += $0 * 8..<min(($0 + 1) * 8, problem.samples) }
        return samples
      }
      let input = Input(
        a0: problem.features, y: problem.targets, activation: net.activation.rawValue,
        loss: net.loss.rawValue,
        bias: net.bias, W: W, form: settings.form.rawValue, beta: Double(settings.beta), r: settings.r,
        l2: 0.02, ridge: settings.ridge, step: settings.step, momentum: settings.momentum,
        keep: net.block == nil ? 0 : 0.5, restarts: net.block == nil, blocks: samples)
      let report: Report = try Python.run(
        script: "Tests/OptimizersTests/accelerated.py", input: input, over: ranks)
      let rises = zip(report.objectives, report.objectives.dropFirst()).contains { $1 > $0 }
      #expect(rises || net.step == nil)
      var first = 0
      for sweep in sweeps {
        try method.sweep(part, over: ranks)
        let expected = report.objectives[first..<first + sweep.count].reduce(0, +) / Double(sweep.count)
        first += sweep.count
        let objective = try method.lastProgress(over: ranks).objective / Double(problem.samples)
        #expect(abs(objective - expected) <= 1e-4 * expected, "\(objective), expected \(expected)")
      }
      #expect(method.events.isEmpty, "\(method.events)")
      let expected = report.W
      for (l, (own, other)) in zip(method.weights, expected).enumerated() {
        let distance = relativeDistance(own, other)
        #expect(distance <= 1e-4, "W_\(l + 1) is off by \(distance)")
      }
    }
  }

  /// On all samples of a convex problem it ends at the optimum, says that it is done, and then changes nothing more.
  @Test func quasiNewtonStepsEndAtTheOptimum() throws {
    let convex = LogisticProblem(samples: 200, l2: 0.02, seed: 51)
    let optimum = convex.optimum()
    try TestWorld.with { ranks in
      let part = convex.part(of: ranks)
      var settings = AcceleratedSettings()
      (settings.l2, settings.block) = (convex.l2, convex.samples)
      var method = try settings.start(convex.network, part, StartOptions(), over: ranks)
      var last = Double.infinity
      while !method.isDone && method.sweeps < 100 {
        try method.sweep(part, over: ranks)
        let objective = try method.lastProgress(over: ranks).objective
        #expect(objective <= last)
        last = objective
      }
      let isDone = method.isDone
      #expect(isDone)
      #expect(method.events == ["no step lowers the objective any more"])
      let found = method.weights
      let distance = relativeDistance(found[0], [optimum])
      #expect(distance < 1e-4, "off by \(distance)")
      let expected = convex.objective(optimum).value * Double(convex.samples)
      #expect(abs(last - expected) < 1e-5 * expected, "\(last), expected \(expected)")
      try method.sweep(part, over: ranks)
      #expect(method.weights == found)
    }
  }

  /// Of a network with hidden layers the objective falls with every step, and is that of the weights.
  @Test(arguments: [Loss.softmax, .hinge, .squared_hinge])
  func noQuasiNewtonStepRaisesTheObjective(loss: Loss) throws {
    let network = Network(widths: [6, 18, 7, 3], activation: .relu, loss: loss, bias: true)
    let problem = Problem(network, samples: 220, seed: 52, chunk: 8)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var settings = AcceleratedSettings()
      (settings.l2, settings.block, settings.pairs) = (0.01, problem.samples, 4)
      var method = try settings.start(network, part, StartOptions(), over: ranks)
      var pass = try Pass.make(network, ChainRule(), part.partition, threads: 1)
      var g = network.flatZeros()
      var objectives: [Double] = []
      for _ in 0..<25 where !method.isDone {
        try method.sweep(part, over: ranks)
        objectives.append(try method.lastProgress(over: ranks).objective / Double(problem.samples))
        let w = method.flatWeights
        let own = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: 0.01, ranks)
        #expect(abs(own - objectives[objectives.count - 1]) <= 1e-6 * own)
      }
      let neverRises = zip(objectives, objectives.dropFirst()).allSatisfy { $1 <= $0 }
      #expect(neverRises, "\(objectives)")
      #expect(objectives[objectives.count - 1] < 0.7 * objectives[0], "\(objectives)")
    }
  }

  /// Batches grow when they no longer help and labels are noisy: the log says so, and at last every step takes all
  /// samples.
  @Test func batchesGrowWhenProgressStalls() throws {
    let convex = LogisticProblem(samples: 400, wrong: 80, l2: 0.02, seed: 53)
    try TestWorld.with { ranks in
      let part = convex.part(of: ranks)
      var settings = AcceleratedSettings()
      (settings.l2, settings.block) = (convex.l2, 24)
      var method = try settings.start(convex.network, part, StartOptions(), over: ranks)
      while !method.isDone && method.sweeps < 120 { try method.sweep(part, over: ranks) }
      #expect(
        method.events == [
          "8 blocks a pass from here", "4 blocks a pass from here", "steps on all samples from here",
          "no step lowers the objective any more",
        ])
      let distance = relativeDistance(method.weights[0], [convex.optimum()])
      #expect(distance < 1e-4, "off by \(distance)")
    }
  }

  /// Where the network learns the training set by heart, batches stay as they are, however long it takes.
  @Test func batchesStayWhereNothingIsLeftToLearn() throws {
    let network = Network(widths: [8, 40, 1], activation: .relu, loss: .logistic, bias: true)
    let problem = Problem(network, samples: 200, seed: 56, chunk: 8)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var settings = AcceleratedSettings()
      (settings.l2, settings.block, settings.step) = (1e-4, 24, 0.3)
      var method = try settings.start(network, part, StartOptions(), over: ranks)
      for _ in 0..<150 { try method.sweep(part, over: ranks) }
      #expect(method.events.allSatisfy { !$0.contains("blocks a pass") }, "\(method.events)")
      #expect(try method.lastProgress(over: ranks).objective < 0.15 * Double(problem.samples))
    }
  }

  /// Samples with wrong labels make some batches' objective a multiple of the others': such a batch is looked at
  /// once more, by the average and again, and then learnt from like any other.
  @Test func aHardBatchIsNoDivergence() throws {
    let network = Network(widths: [5, 1], activation: .relu, loss: .logistic, bias: true)
    let clean = Problem(network, samples: 400, seed: 57, chunk: 8, targetScale: 20)
    try TestWorld.with { ranks in
      var ends: [[[Double]]] = []
      var looks: [Int] = []
      for problem in [clean, clean.negated(0..<16)] {
        let part = problem.part(of: ranks)
        var settings = AcceleratedSettings()
        (settings.l2, settings.block, settings.step) = (0.003, 32, 0.2)
        var method = try settings.start(network, part, StartOptions(), over: ranks)
        let batches = Batch.count(ofAtLeast: 32, part.partition)
        var walk = BatchWalk(part.partition, batches: batches, firstSweep: 4 * 32, seed: StartOptions().seed)
        var steps = 0
        for _ in 0..<40 {
          try method.sweep(part, over: ranks)
          steps += walk.nextSweep().count
        }
        #expect(method.events.isEmpty, "\(method.events)")
        ends.append(method.weights[0])
        looks.append(method.work.reductions - steps)
      }
      // Two passes each; what is wrong makes more batches hard.
      #expect(looks.allSatisfy { $0 % 2 == 0 } && looks[1] > looks[0], "\(looks) passes beside the steps'")
      #expect(relativeDistance(ends[1], ends[0]) > 0.1, "the wrong labels have no say")
    }
  }

  /// An absurd step: every divergence is undone, and what comes out is finite and better than the start.
  @Test(arguments: AcceleratedForm.allCases, [32, 400]) func aDivergenceIsUndone(
    form: AcceleratedForm, block: Int
  ) throws {
    let network = Network(widths: [5, 12, 3], activation: .relu, loss: .softmax, bias: true)
    let problem = Problem(network, samples: 400, seed: 54, chunk: 8)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var settings = AcceleratedSettings()
      (settings.form, settings.block, settings.l2, settings.step) = (form, block, 0.01, 1e3)
      var pass = try Pass.make(network, ChainRule(), part.partition, threads: 1)
      var method = try settings.start(network, part, StartOptions(), over: ranks)
      var g = network.flatZeros()
      var w = network.flat(network.randomWeights(seed: StartOptions().seed))
      let start = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: 0.01, ranks)
      for _ in 0..<(block < 400 ? 12 : 60) {
        try method.sweep(part, over: ranks)
        let now = method.flatWeights
        let isFinite = now.isFinite
        #expect(isFinite)
        w.assign(now)
      }
      // On all samples the quasi-Newton form searches along a line instead.
      let undone = method.events.filter { $0.hasSuffix("undone, step halved") }.count
      #expect((undone > 0) == (form == .momentum || block < 400), "\(method.events)")
      let end = try pass.evaluate(&g, at: w, over: .whole, of: part, l2: 0.01, ranks)
      #expect(end < start, "\(start) became \(end); \(method.events)")
    }
  }

  /// Values whose squares leave the range of single precision: a numerical error, which all ranks share.
  @Test(arguments: AcceleratedForm.allCases, [16, 120]) func hugeValuesAreANumericalError(
    form: AcceleratedForm, block: Int
  ) {
    let network = Network(widths: [5, 9, 1], activation: .relu, loss: .square, bias: true)
    let problem = Problem(network, samples: 120, seed: 55, chunk: 8)
    var settings = AcceleratedSettings()
    (settings.form, settings.block) = (form, block)
    TestWorld.with { ranks in
      let part = problem.withFeatures { i, _, x in i == 0 ? x * 1e25 : x }.part(of: ranks)
      #expect(throws: NumericalError.notFinite(sum: "a_0 a_0ᵀ")) {
        _ = try settings.start(network, part, StartOptions(), over: ranks)
      }
    }
    TestWorld.with { ranks in
      // The data's sums are finite, those of the targets' errors are not.
      let part = problem.withTargets { _, _, y in y * 3e38 }.part(of: ranks)
      #expect(throws: NumericalError.self) {
        var method = try settings.start(network, part, StartOptions(), over: ranks)
        for _ in 0..<40 { try method.sweep(part, over: ranks) }
      }
    }
  }

  /// Values whose squares just fit: steps are refused rather than taken, and no weight is anything but a number.
  @Test(arguments: AcceleratedForm.allCases, [16, 120]) func largeValuesDoNoHarm(
    form: AcceleratedForm, block: Int
  ) throws {
    let network = Network(widths: [5, 9, 1], activation: .relu, loss: .square, bias: true)
    let problem = Problem(network, samples: 120, seed: 55, chunk: 8).withFeatures { i, _, x in
      i == 0 ? x * 1e18 : x
    }
    var settings = AcceleratedSettings()
    (settings.form, settings.block) = (form, block)
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try settings.start(network, part, StartOptions(), over: ranks)
      // An error that is not numerical fails the test.
      do { for _ in 0..<40 { try method.sweep(part, over: ranks) } } catch is NumericalError {}
      let areNumbers = method.weights.allSatisfy { $0.allSatisfy { $0.allSatisfy(\.isFinite) } }
      #expect(areNumbers)
    }
  }
}

extension BatchWalk {
  /// All batches of the next sweep.
  mutating func nextSweep() -> [Batch] {
    var batches: [Batch] = []
    beginSweep()
    while let batch = next() { batches.append(batch) }
    return batches
  }
}
