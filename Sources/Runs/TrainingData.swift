import ADMM
import Basics
import Configuration
import Datasets
import LinearAlgebra
import MPI
import Models
import Networks
import Sums

/// The samples of a training run, standardised, each rank its own blocks.
package struct TrainingData: ~Copyable {
  package let train: Dataset
  /// Taken out of the training set; without samples unless `data.validation_fraction` is set.
  package let validation: Dataset
  /// Without samples unless `data.test` or `data.synthetic_test` is set.
  package let test: Dataset
  /// What was done to the features.
  let standardization: Standardization?
  /// What was done to the targets of a regression.
  let targetScale: TargetScale?
  /// d_L.
  package private(set) var outputs: Int
  /// y of the training set, d_L × n.
  package private(set) var y: Matrix<Float>

  /// Reads or generates, and prepares, everything that [data] names. Collective.
  ///
  /// - Throws: a shared `Failure` that names the file and the place in it, or the key of the configuration.
  package static func read(
    _ configuration: Configuration, over ranks: borrowing Communicator,
    progress: (_ what: String, _ share: Double) -> Void
  ) throws -> TrainingData {
    let data = configuration.data
    let chunk = configuration.training.chunk
    /// Generates a set as the configuration says; nothing is exchanged.
    func generate(_ generator: Synthetic, _ part: Synthetic.Part, _ samples: Int) -> Dataset {
      generator.samples(
        part, task: data.task, partition: Partition(samples: samples, ranks: ranks.size, chunk: chunk),
        rank: ranks.rank, progress: { progress("\(part) set", $0) })
    }
    var all: Dataset
    if let generator = data.generator {
      all = generate(generator, .training, data.synthetic ?? 0)
    } else if let source = data.trainSource {
      all = try readDataset(
        source, task: data.task, selection: data.selection, chunk: chunk, over: ranks,
        progress: { progress("training set", $0) })
    } else {
      throw Failure(.badConfiguration, Configuration.noTrainingSet, isShared: true)
    }
    var test: Dataset
    if let generator = data.generator, data.syntheticTest > 0 {
      test = generate(generator, .test, data.syntheticTest)
    } else if let source = data.testSource {
      test = try readDataset(
        source, task: data.task, classes: all.labels.names, selection: data.selection,
        chunk: chunk, over: ranks, progress: { progress("test set", $0) })
      guard test.featureCount == all.featureCount else {
        throw Failure(
          .badData,
          "\(source.path) has \(test.featureCount) features a sample, the training set has \(all.featureCount). "
            + "Both need the same columns.", isShared: true)
      }
    } else {
      test = all.withoutSamples(over: ranks)
    }
    try checkLabels(all.labels, configuration, data.trainOrigin)

    let standardization = data.standardize ? try Standardization(of: all, over: ranks) : nil
    standardization?.apply(to: &all)
    standardization?.apply(to: &test)
    let targetScale =
      data.task == .regression && data.standardize ? try TargetScale(of: all, over: ranks) : nil
    targetScale?.apply(to: &all)
    targetScale?.apply(to: &test)

    let loss = configuration.network.loss
    guard data.validationFraction > 0 else {
      let validation = all.withoutSamples(over: ranks)
      return TrainingData(all, validation, test, standardization, targetScale, loss)
    }
    let split = try all.split(
      fraction: data.validationFraction, seed: configuration.training.seed, chunk: chunk, over: ranks)
    return TrainingData(split.training, split.validation, test, standardization, targetScale, loss)
  }

  private init(
    _ train: consuming Dataset, _ validation: consuming Dataset, _ test: consuming Dataset,
    _ standardization: Standardization?, _ targetScale: TargetScale?, _ loss: Loss
  ) {
    outputs = Scoring.outputs(train.labels, loss: loss)
    y = Scoring.targets(train.labels, outputs: outputs, loss: loss)
    self.train = train
    self.validation = validation
    self.test = test
    self.standardization = standardization
    self.targetScale = targetScale
  }

  /// Makes d_L and y those of another loss: the same samples for another method. Local.
  package mutating func setTargets(for loss: Loss) {
    outputs = Scoring.outputs(train.labels, loss: loss)
    y = Scoring.targets(train.labels, outputs: outputs, loss: loss)
  }

  /// The classes, or nil for a regression.
  package var classNames: [String]? { train.labels.names }

  private static func checkLabels(_ labels: Labels, _ configuration: Configuration, _ path: String) throws {
    let loss = configuration.network.loss
    switch labels {
    case .none:
      throw Failure(
        .badData,
        "\(path) has no labels, which training needs. Set data.label_column, data.train_labels or "
          + "data.labels_dataset.", isShared: true)
    case .targets where !loss.isForRegression:
      throw Failure(
        .badConfiguration,
        "network.loss = \"\(loss.rawValue)\" is for classes, but data.task is \"regression\". "
          + "Use \"square\" or \"huber\".", isShared: true)
    case .classes(_, let names) where names.count < 2:
      throw Failure(
        .badData, "\(path) holds a single class (\(names.joined())). Training needs two or more.",
        isShared: true)
    default: break
    }
  }
}

/// Brings regression targets to mean 0 and standard deviation 1, so that penalties and the Huber loss mean the same on any scale.
struct TargetScale: Sendable, Equatable {
  let mean: Float
  let scale: Float

  init(mean: Float, scale: Float) {
    self.mean = mean
    self.scale = scale
  }

  /// Mean and standard deviation of a data set's targets. Collective; the same bits for any number of ranks.
  init(of dataset: borrowing Dataset, over ranks: borrowing Communicator) throws {
    guard case .targets(let targets) = dataset.labels else {
      preconditionFailure("a data set without targets has no scale of them")
    }
    var sums = ExactSum(count: 2)
    for target in targets {
      sums.add(Double(target), to: 0)
      // Exact: a Float has 24 bits, a Double 53.
      sums.add(Double(target) * Double(target), to: 1)
    }
    try sums.reduce(over: ranks)
    let count = Double(dataset.partition.samples)
    let mean = sums[0] / count
    let deviation = max(sums[1] / count - mean * mean, 0).squareRoot()
    self.init(mean: Float(mean), scale: deviation > 0 ? Float(deviation) : 1)
  }

  /// Scales a data set's targets in place. Local.
  func apply(to dataset: inout Dataset) {
    guard case .targets(let targets) = dataset.labels else { return }
    dataset.labels = .targets(targets.map { ($0 - mean) / scale })
  }
}

extension Labels {
  /// The classes' names; nil for targets and for none.
  var names: [String]? {
    if case .classes(_, let names) = self { names } else { nil }
  }
}

extension Dataset {
  /// A data set of the same features and classes that holds no sample. Local.
  fileprivate func withoutSamples(over ranks: borrowing Communicator) -> Dataset {
    let labels: Labels =
      switch self.labels {
      case .classes(_, let names): .classes(codes: [], names: names)
      case .targets: .targets([])
      case .none: .none
      }
    return Dataset(
      partition: Partition(samples: 0, ranks: ranks.size), range: 0..<0,
      features: Matrix(rows: featureCount + 1, columns: 0), labels: labels, featureNames: featureNames)
  }
}
