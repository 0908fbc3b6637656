import ADMM
import Basics
import Configuration
import Datasets
import Files
import LinearAlgebra
import MPI
import Models
import Networks
import Optimizers
import Reports
import Settings
import Sums

/// What a training loop ends with.
package struct TrainingOutcome: ~Copyable {
  package var status: RunStatus
  /// The last evaluated iterate.
  var last: IterationRecord
  /// The best evaluated iterate, if one was asked for.
  var best: IterationRecord?
  /// The weights to keep: the best's if one was asked for, else the last's.
  package var W: Layers<Matrix<Float>>
  /// Seconds of the sweeps on the slowest rank.
  var seconds: Double
  /// How many sweeps were done, and what they cost.
  var iterations = 0
  var work = SweepWork()
}

/// Trains by the configuration's method, from its start values on. Collective.
package func trained(
  _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData, _ console: Console,
  _ phases: Phases, over ranks: borrowing Communicator, report: (IterationRecord) throws -> Void
) throws -> TrainingOutcome {
  let (a0, y, partition) = (data.train.features.all, data.y.all, data.train.partition)
  let threads = configuration.training.threadsPerRank
  func outcome<Method: TrainingMethod & ~Copyable>(_ start: () throws -> Method) throws -> TrainingOutcome {
    var method = try phases.measure(.start) { try advising(Configuration.dataAdvice, start) }
    return try trainingLoop(&method, configuration, data, console, phases, over: ranks, report: report)
  }
  let training = configuration.training
  func miniBatch(_ rule: UpdateRule) throws -> MiniBatch {
    try MiniBatch.start(
      network, rule, sweeps: training.iterations, seed: training.seed, a0: a0, y: y, partition: partition,
      threads: threads, over: ranks)
  }
  func fullBatch(_ method: SearchDirection) throws -> FullBatch {
    try FullBatch.start(
      network, method, seed: training.seed, a0: a0, y: y, partition: partition, threads: threads, over: ranks)
  }
  console.progress("making the start values")
  switch configuration.training.method {
  case .taylor where configuration.taylor.multiplier == .all:
    return try outcome {
      try ConsistentTaylor.start(
        network, configuration.consistentSettings, a0: a0, y: y, partition: partition, threads: threads,
        over: ranks)
    }
  case .taylor:
    return try outcome {
      try Taylor.start(
        network, configuration.taylorSettings, a0: a0, y: y, partition: partition, threads: threads,
        over: ranks)
    }
  case .accelerated:
    return try outcome {
      try Accelerated.start(
        network, configuration.acceleratedSettings, a0: a0, y: y, partition: partition, threads: threads,
        over: ranks)
    }
  case .sgd: return try outcome { try miniBatch(.sgd(configuration.sgd)) }
  case .adam: return try outcome { try miniBatch(.adam(configuration.adam)) }
  case .cg: return try outcome { try fullBatch(.conjugate(configuration.cg)) }
  case .lbfgs: return try outcome { try fullBatch(.lbfgs(configuration.lbfgs)) }
  }
}

/// Sweeps until the last iteration or until a stop rule holds, and reports each evaluated iterate. Collective.
///
/// - Parameter report: is given each evaluated iterate.
///
/// A run whose iterates leave the finite numbers ends with status `diverged` and the weights of the best or last evaluated iterate.
func trainingLoop<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, _ configuration: Configuration, _ data: borrowing TrainingData,
  _ console: Console, _ phases: Phases, over ranks: borrowing Communicator,
  report: (IterationRecord) throws -> Void
) throws -> TrainingOutcome {
  let network = method.network
  var rule = StopRule(configuration.stop)
  let iterations = configuration.training.iterations
  let samples = Double(data.train.partition.samples)
  var seconds = 0.0
  var reported = (flops: 0.0, seconds: 0.0)
  var outcome = TrainingOutcome(
    status: .max_iterations, last: IterationRecord(iteration: 0), best: nil,
    W: method.withWeights { $0.copy() },
    seconds: 0)
  let keepsBest = configuration.training.keepBest

  for iteration in 1...iterations {
    let isEvaluated = iteration % configuration.output.evaluateEvery == 0 || iteration == iterations
    console.progress("training", "iteration \(iteration) of \(iterations)")
    do {
      seconds += try timed {
        try phases.measure(.update) { try method.sweep(over: ranks, isMeasured: isEvaluated) }
      }
    } catch let error as NumericalError {
      console.warn("\(error). \(configuration.advice(error))")
      outcome.status = .diverged
      break
    }
    guard isEvaluated else { continue }
    let outer = phases.begin(.evaluate)
    // The slowest rank's time, the same number on all.
    seconds = try ranks.max(seconds)
    var record = IterationRecord(
      iteration: iteration, try method.progress(over: ranks), seconds: seconds)
    let passes = method.work.samples / samples
    if passes != Double(iteration) { record.passes = passes }
    try method.withWeights { try record.addQuality(of: $0, network, data, over: ranks) }
    record.gflops_per_rank =
      (method.work.flops - reported.flops) / Double(ranks.size) / (seconds - reported.seconds) / 1e9
    record.notes = method.events
    method.events = []
    reported = (method.work.flops, seconds)

    let isBest = outcome.best.map { record.isBetter(than: $0) } ?? true
    if isBest { outcome.best = record }
    if isBest || !keepsBest { method.withWeights { outcome.W.assign($0) } }
    outcome.last = record
    try report(record)
    phases.begin(outer)
    if let status = rule.status(record, isBest: isBest, elapsed: seconds) {
      outcome.status = status
      break
    }
    if method.isDone {
      outcome.status = .converged
      break
    }
  }
  outcome.seconds = seconds
  outcome.iterations = method.sweeps
  outcome.work = method.work
  if !keepsBest { outcome.best = nil }
  phases.move(method.seconds.solve, from: .update, to: .solve)
  phases.move(method.seconds.reduce, from: .update, to: .reduce)
  phases.move(method.seconds.sum, from: .update, to: .sum)
  return outcome
}

/// The seconds that `body` takes.
private func timed(_ body: () throws -> Void) rethrows -> Double {
  let start = monotonicSeconds()
  try body()
  return monotonicSeconds() - start
}

extension IterationRecord {
  /// Adds how well the network itself, not the slack-laden z_L, does on each data set. Collective; one reduction.
  package mutating func addQuality(
    of W: borrowing Layers<Matrix<Float>>, _ network: Network, _ data: borrowing TrainingData,
    over ranks: borrowing Communicator
  ) throws {
    // Of each set: squared errors of a regression, or right decisions.
    var sums = ExactSum(count: 3)
    addSum(&sums, 0, W, network, data.train)
    addSum(&sums, 1, W, network, data.validation)
    addSum(&sums, 2, W, network, data.test)
    try sums.reduce(over: ranks)
    let scale = Double(data.targetScale?.scale ?? 1)
    let isRegression = data.classNames == nil
    func quality(_ k: Int, _ samples: Int) -> Double? {
      guard samples > 0 else { return nil }
      let mean = sums[k] / Double(samples)
      return isRegression ? scale * mean.squareRoot() : mean
    }
    let qualities = (
      quality(0, data.train.partition.samples), quality(1, data.validation.partition.samples),
      quality(2, data.test.partition.samples)
    )
    if isRegression {
      (train_rmse, validation_rmse, test_rmse) = qualities
    } else {
      (train_accuracy, validation_accuracy, test_accuracy) = qualities
    }
  }

  /// Adds this rank's right decisions, or squared errors of standardised targets, to sum k. Local.
  private func addSum(
    _ sums: inout ExactSum, _ k: Int, _ W: borrowing Layers<Matrix<Float>>, _ network: Network,
    _ dataset: borrowing Dataset
  ) {
    let scores = Scoring.scores(network, W, dataset)
    switch dataset.labels {
    case .none: break
    case .targets(let targets):
      for (j, target) in targets.enumerated() {
        let error = Double(scores[0, j]) - Double(target)
        sums.add(error * error, to: k)
      }
    case .classes(let codes, _):
      let right = codes.indices.count {
        Scoring.decision(scores.all.column($0), outputs: scores.rows) == Int(codes[$0])
      }
      sums.add(Double(right), to: k)
    }
  }

  /// Whether this iterate is to be preferred: by validation where there is a validation set, else by training. The test set has no say.
  package func isBetter(than other: IterationRecord) -> Bool {
    if let own = validation_accuracy, let best = other.validation_accuracy { return own > best }
    if let own = validation_rmse, let best = other.validation_rmse { return own < best }
    if let own = train_accuracy, let best = other.train_accuracy { return own > best }
    if let own = train_rmse, let best = other.train_rmse { return own < best }
    return false
  }
}
