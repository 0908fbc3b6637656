import Basics
import Configuration
import MPI
import Networks
import Reports

/// What is known of a training before it begins.
struct Prospect {
  let network: Network
  /// How many samples are trained on; nil where only a full read tells.
  let training: Int?
  /// How many are held beside them.
  let others: Int

  /// Reads files of a moderate size whole; of larger ones, and of samples that are generated, looks at the heads.
  /// Collective.
  ///
  /// - Throws: a shared `Failure` where training would throw one.
  init(_ configuration: Configuration, over ranks: borrowing Communicator) throws {
    if try configuration.data.isReadWhole(over: ranks) == true {
      let data = try TrainingData.read(configuration, over: ranks) { _, _ in }
      let counts = data.sampleCounts
      network = configuration.network(features: data.samples.featureCount, outputs: data.samples.outputs)
      training = counts.train
      others = (counts.validation ?? 0) + (counts.test ?? 0)
    } else {
      let (train, test) = try outlines(configuration.data, over: ranks)
      network = configuration.network(features: train.features, outputs: configuration.outputs ?? 1)
      training = train.samples
      others = test?.samples ?? 0
    }
  }
}

/// How long iterations take on this machine, on one thread.
struct IterationSpeed {
  /// Of each iteration, such as the solves, in seconds.
  let fixed: Double
  /// Of each sample that it visits, in seconds.
  let aSample: Double

  /// How many made-up samples are visited to find out.
  static let samples = (few: 1_024, many: 4_096)

  /// Measures two sweeps over few and over more made-up samples of the network's shape. Local, over a communicator of
  /// one rank.
  ///
  /// - Throws: `NumericalError` where the method can't go on with them.
  init(_ configuration: Configuration, _ network: Network, over ranks: borrowing Communicator) throws {
    let few = try Self.sweep(configuration, network, samples: Self.samples.few, over: ranks)
    let many = try Self.sweep(configuration, network, samples: Self.samples.many, over: ranks)
    let visits = many.visits - few.visits
    aSample =
      visits > 0 && many.seconds > few.seconds
      ? (many.seconds - few.seconds) / visits : many.seconds / many.visits
    fixed = max(few.seconds - aSample * few.visits, 0)
  }

  /// The faster of two sweeps, after a first one: its seconds, and how many samples it visited.
  private static func sweep(
    _ configuration: Configuration, _ network: Network, samples: Int, over ranks: borrowing Communicator
  ) throws -> (seconds: Double, visits: Double) {
    let outputs = network.widths[network.L]
    var own = configuration
    own.data = DataSection()
    own.data.task = configuration.data.task
    own.data.synthetic = samples
    own.data.syntheticFeatures = network.widths[0]
    own.data.syntheticClasses = max(outputs, 2)
    own.training.threadsPerRank = 1
    let data = try TrainingData.read(own, over: ranks) { _, _ in }
    let shape = own.network(features: network.widths[0], outputs: data.samples.outputs)
    var method = try own.method.start(shape, data.samples, own.startOptions, over: ranks)
    return try fastest(&method, data, over: ranks)
  }

  private static func fastest<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, _ data: borrowing TrainingData, over ranks: borrowing Communicator
  ) throws -> (seconds: Double, visits: Double) {
    var best = (seconds: Double.infinity, visits: 1.0)
    for sweep in 0..<3 {
      let (start, before) = (monotonicSeconds(), method.work.samples)
      try method.sweep(data.samples, over: ranks, isMeasured: false)
      let seconds = monotonicSeconds() - start
      if sweep > 0 && seconds < best.seconds { best = (seconds, max(method.work.samples - before, 1)) }
    }
    return best
  }
}
