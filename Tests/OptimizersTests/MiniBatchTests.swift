import Basics
import Glibc
import LinearAlgebra
import MPI
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// SGD and Adam against plain loops in double precision, and at the optimum of a convex problem.
@Suite(.serialized) struct MiniBatchTests {
  private static func sgd(
    momentum: Double = 0.9, nesterov: Bool, rate: Double = 0.1, schedule: RateSchedule = .cosine
  ) -> UpdateRule {
    var settings = SGDSettings()
    settings.momentum = momentum
    settings.nesterov = nesterov
    settings.common.rate = rate
    settings.common.schedule = schedule
    return .sgd(settings)
  }

  private static func adam(rate: Double = 0.05, schedule: RateSchedule = .cosine) -> UpdateRule {
    var settings = AdamSettings()
    settings.beta2 = 0.99
    settings.common.rate = rate
    settings.common.schedule = schedule
    return .adam(settings)
  }

  private static func common(_ rule: UpdateRule, block: Int, l2: Double) -> UpdateRule {
    switch rule {
    case .sgd(var settings):
      settings.common.block = block
      settings.common.l2 = l2
      return .sgd(settings)
    case .adam(var settings):
      settings.common.block = block
      settings.common.l2 = l2
      return .adam(settings)
    }
  }

  /// Three sweeps of four steps, from the same weights over the same blocks.
  @Test(arguments: [
    sgd(nesterov: false, schedule: .constant), sgd(nesterov: true), sgd(momentum: 0, nesterov: false),
    adam(schedule: .constant), adam(),
  ])
  func theFirstStepsAreThoseOfAPlainLoop(_ given: UpdateRule) throws {
    let problem = Convex(samples: 250, seed: 3)
    let rule = Self.common(given, block: 60, l2: problem.l2)
    let sweeps = 3
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try MiniBatch.start(
        problem.network, rule, sweeps: sweeps, seed: 4, a0: part.a0.all, y: part.y.all,
        partition: part.partition, over: ranks)
      var w = method.firstWeights()
      let start = w
      var (m, v) = (w.map { _ in 0.0 }, w.map { _ in 0.0 })
      var t = 0
      for pass in 0..<sweeps {
        var total = 0.0
        for index in 0..<4 {
          var samples: [Int] = []
          Block(count: 4, index: index, pass: pass, seed: 4).forEachChunk(of: part.partition) {
            samples += $0 * problem.chunk..<min(($0 + 1) * problem.chunk, problem.samples)
          }
          let (f, g) = problem.objective(w, samples)
          total += f
          let share = rule.common.schedule == .cosine ? (1 + cos(Double.pi * Double(t) / 12)) / 2 : 1
          let rate = rule.common.rate * share
          t += 1
          for k in w.indices {
            switch rule {
            case .sgd(let settings):
              m[k] = settings.momentum * m[k] + g[k]
              w[k] -= rate * (settings.nesterov ? g[k] + settings.momentum * m[k] : m[k])
            case .adam(let settings):
              m[k] = settings.beta1 * m[k] + (1 - settings.beta1) * g[k]
              v[k] = settings.beta2 * v[k] + (1 - settings.beta2) * g[k] * g[k]
              let mean = m[k] / (1 - pow(settings.beta1, Double(t)))
              let square = v[k] / (1 - pow(settings.beta2, Double(t)))
              w[k] -= rate * mean / (square.squareRoot() + settings.epsilon)
            }
          }
        }
        try method.sweep(over: ranks)
        let objective = try method.progress(over: ranks).objective
        #expect(abs(objective / Double(problem.samples) - total / 4) < 1e-5)
        #expect(relativeDistance([method.firstWeights()], [w]) < 1e-5, "after sweep \(pass + 1)")
      }
      #expect(relativeDistance([w], [start]) > 0.1)
      #expect(method.sweeps == sweeps && method.work.reductions == 12)
      #expect(method.work.samples == Double(sweeps * problem.samples))
    }
  }

  @Test(arguments: [sgd(nesterov: true), sgd(nesterov: false), adam()])
  func theOptimumOfAConvexProblemIsFound(_ given: UpdateRule) throws {
    let problem = Convex(samples: 400, seed: 8)
    let rule = Self.common(given, block: 100, l2: problem.l2)
    let best = problem.optimum()
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try MiniBatch.start(
        problem.network, rule, sweeps: 150, seed: 1, a0: part.a0.all, y: part.y.all,
        partition: part.partition, over: ranks)
      let start = problem.objective(method.firstWeights()).value
      for _ in 0..<150 { try method.sweep(over: ranks) }
      let (found, least) = (problem.objective(method.firstWeights()).value, problem.objective(best).value)
      #expect(
        start > 1.2 * least && found >= least - 1e-9 && found < least + 2e-4, "\(start), \(found), \(least)")
    }
  }

  /// Steps without bounds end with a failure that all ranks share and that names the key to change.
  @Test func aDivergenceIsAFailureOfAllRanks() throws {
    let network = Network(widths: [3, 5, 1], activation: .relu, loss: .square, bias: true)
    try TestWorld.with { ranks in
      let partition = Partition(samples: 300, ranks: ranks.size, chunk: 16)
      let count = partition.range(of: ranks.rank).count
      let a0 = Matrix<Float>(rows: 4, columns: count) { i, _ in i == 3 ? 1 : 100 }
      let y = Matrix<Float>(rows: 1, columns: count) { _, _ in 1 }
      let failure = try #require(throws: Failure.self) {
        var method = try MiniBatch.start(
          network, Self.sgd(nesterov: true, rate: 1e4), sweeps: 50, seed: 1, a0: a0.all, y: y.all,
          partition: partition, over: ranks)
        for _ in 0..<50 { try method.sweep(over: ranks) }
      }
      #expect(failure.status == .numericalFailure && failure.isShared)
      #expect(failure.message.contains("Lower sgd.rate"))
    }
  }
}
