import Basics
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// SGD and Adam against plain loops in double precision, and at the optimum of a convex problem.
@Suite(.serialized) struct MiniBatchTests {
  /// SGD or Adam: the settings that the tests change, and its steps in double precision.
  struct Method: Sendable, CustomStringConvertible {
    var settings: any MethodSettings
    let description: String

    static func sgd(
      momentum: Double = 0.9, nesterov: Bool, rate: Double = 0.1, schedule: RateSchedule = .cosine
    ) -> Method {
      var settings = SGDSettings()
      (settings.momentum, settings.nesterov) = (momentum, nesterov)
      (settings.common.rate, settings.common.schedule) = (rate, schedule)
      return Method(settings: settings, description: "sgd, \(settings.summary)")
    }

    static func adam(rate: Double = 0.05, schedule: RateSchedule = .cosine) -> Method {
      var settings = AdamSettings()
      settings.beta2 = 0.99
      (settings.common.rate, settings.common.schedule) = (rate, schedule)
      return Method(settings: settings, description: "adam, \(settings.summary)")
    }

    var common: MiniBatchSettings {
      get { (settings as? SGDSettings)?.common ?? (settings as? AdamSettings)?.common ?? .init(rate: .nan) }
      set {
        if var sgd = settings as? SGDSettings {
          sgd.common = newValue
          settings = sgd
        } else if var adam = settings as? AdamSettings {
          adam.common = newValue
          settings = adam
        }
      }
    }

    /// The same on batches of so many samples and with this L2.
    func on(block: Int, l2: Double) -> Method {
      var other = self
      (other.common.block, other.common.l2) = (block, l2)
      return other
    }

    /// Step t, from 1, of one weight: what its means m and v become, and by what times the rate it falls.
    func step(_ g: Double, _ m: inout Double, _ v: inout Double, t: Int) -> Double {
      if let sgd = settings as? SGDSettings {
        m = sgd.momentum * m + g
        return sgd.nesterov ? g + sgd.momentum * m : m
      }
      guard let adam = settings as? AdamSettings else { return .nan }
      m = adam.beta1 * m + (1 - adam.beta1) * g
      v = adam.beta2 * v + (1 - adam.beta2) * g * g
      let mean = m / (1 - pow(adam.beta1, Double(t)))
      let square = v / (1 - pow(adam.beta2, Double(t)))
      return mean / (square.squareRoot() + adam.epsilon)
    }
  }

  /// Three sweeps of four steps, from the same weights over the same batches.
  @Test(arguments: [
    Method.sgd(nesterov: false, schedule: .constant), .sgd(nesterov: true),
    .sgd(momentum: 0, nesterov: false), .adam(schedule: .constant), .adam(),
  ])
  func theFirstStepsAreThoseOfAPlainLoop(_ given: Method) throws {
    let (problem, chunk) = (LogisticProblem(samples: 250, features: 6, l2: 0.01, chunk: 16, seed: 3), 16)
    let plain = given.on(block: 60, l2: problem.l2)
    let sweeps = 3
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try plain.settings.start(
        problem.network, part, StartOptions(seed: 4, sweeps: sweeps), over: ranks)
      var w = method.weights[0][0]
      let start = w
      var (m, v) = (w.map { _ in 0.0 }, w.map { _ in 0.0 })
      var t = 0
      for pass in 0..<sweeps {
        var total = 0.0
        for index in 0..<4 {
          var samples: [Int] = []
          Batch(count: 4, index: index, pass: pass, seed: 4).forEachChunk(of: part.partition) {
            samples += $0 * chunk..<min(($0 + 1) * chunk, problem.samples)
          }
          let (f, g) = problem.objective(w, samples)
          total += f
          let share = plain.common.schedule == .cosine ? (1 + cos(Double.pi * Double(t) / 12)) / 2 : 1
          let rate = plain.common.rate * share
          t += 1
          for k in w.indices { w[k] -= rate * plain.step(g[k], &m[k], &v[k], t: t) }
        }
        try method.sweep(part, over: ranks)
        let objective = try method.lastProgress(over: ranks).objective
        #expect(abs(objective / Double(problem.samples) - total / 4) < 1e-5)
        #expect(relativeDistance(method.weights[0], [w]) < 1e-5, "after sweep \(pass + 1)")
      }
      #expect(relativeDistance([w], [start]) > 0.1)
      #expect(method.sweeps == sweeps && method.work.reductions == 12)
      #expect(method.work.samples == Double(sweeps * problem.samples))
    }
  }

  @Test(arguments: [Method.sgd(nesterov: true), .sgd(nesterov: false), .adam()])
  func theOptimumOfAConvexProblemIsFound(_ given: Method) throws {
    let problem = LogisticProblem(samples: 400, features: 6, l2: 0.01, chunk: 16, seed: 8)
    let settings = given.on(block: 100, l2: problem.l2).settings
    let best = problem.optimum()
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var method = try settings.start(problem.network, part, StartOptions(sweeps: 150), over: ranks)
      let start = problem.objective(method.weights[0][0]).value
      for _ in 0..<150 { try method.sweep(part, over: ranks) }
      let (found, least) = (problem.objective(method.weights[0][0]).value, problem.objective(best).value)
      #expect(
        start > 1.2 * least && found >= least - 1e-9 && found < least + 2e-4, "\(start), \(found), \(least)")
    }
  }

  /// Steps without bounds end with a numerical error, which all ranks share; the method's advice names the key to
  /// change.
  @Test func aDivergenceIsANumericalError() throws {
    let network = Network(widths: [3, 5, 1], activation: .relu, loss: .square, bias: true)
    try TestWorld.with { ranks in
      let problem = Problem(network, samples: 300, seed: 1, chunk: 16)
        .withFeatures { _, _, _ in 100 }.withTargets { _, _, _ in 1 }
      let part = problem.part(of: ranks)
      let settings = Method.sgd(nesterov: true, rate: 1e4).settings
      let error = try #require(throws: NumericalError.self) {
        var method = try settings.start(network, part, StartOptions(sweeps: 50), over: ranks)
        for _ in 0..<50 { try method.sweep(part, over: ranks) }
      }
      guard case .diverged(let step) = error else { throw error }
      let steps = try ranks.gather([step])
      #expect(step > 0 && steps.allSatisfy { $0 == [step] }, "\(steps)")
      #expect(settings.advice(error).contains("Lower sgd.rate"))
    }
  }
}
