import Basics
import Configuration
import Datasets
import LinearAlgebra
import MPI
import Networks
import Sums

extension TrainingData {
  /// Reads or generates, and prepares, everything that [data] names. Collective.
  ///
  /// - Parameter warn: told of what may be meant otherwise, or is lost in single precision.
  /// - Throws: a shared `Failure` that names the file and the place in it, or the key of the configuration.
  package static func read(
    _ configuration: Configuration, over ranks: borrowing Communicator, warn: (String) -> Void = { _ in },
    progress: (_ what: String, _ share: Double) -> Void
  ) throws -> TrainingData {
    let data = configuration.data
    try configuration.checkSyntheticMemory(over: ranks)
    var all = try configuration.trainingSet(over: ranks, progress: progress)
    var test = try configuration.testSet(beside: all, over: ranks, progress: progress)
    try checkLabels(all.labels, all.labelSource, configuration, data.trainOrigin)
    all.mergedWarning(data.trainOrigin).map(warn)
    test.mergedWarning(data.testOrigin).map(warn)
    if let hint = all.labels.targetHint(samples: all.partition.samples) {
      warn("\(data.trainOrigin): \(hint).")
    }
    let loss = configuration.loss(for: all.labels)

    let standardization = data.standardize ? try Standardization(of: all, over: ranks, warn: warn) : nil
    standardization?.apply(to: &all)
    standardization?.apply(to: &test)
    let targetScale =
      data.task == .regression && data.standardize ? try TargetScale(of: all, over: ranks, warn: warn) : nil
    targetScale?.apply(to: &all)
    targetScale?.apply(to: &test)

    let columns = all.columns
    guard data.validationFraction > 0 else {
      let validation = all.withoutSamples(over: ranks)
      return TrainingData(
        training: all, validation: validation, test: test, columns: columns,
        standardization: standardization, targetScale: targetScale, loss: loss, rank: ranks.rank)
    }
    let split = try all.split(
      fraction: data.validationFraction, seed: configuration.training.seed,
      chunk: configuration.training.chunk, over: ranks)
    return TrainingData(
      training: split.training, validation: split.validation, test: test, columns: columns,
      standardization: standardization, targetScale: targetScale, loss: loss, rank: ranks.rank)
  }

  private static func checkLabels(
    _ labels: Labels, _ source: LabelSource?, _ configuration: Configuration, _ path: String
  ) throws {
    let loss = configuration.loss(for: labels)
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
          + "Use \(Loss.forRegression).", isShared: true)
    case .classes(_, let names) where names.count < 2:
      let place = source.map { " in \($0.place)" } ?? ""
      throw Failure(
        .badData,
        "\(path) holds a single class (\(names.map { shortened($0) }.joined()))\(place). Training needs two or more"
          + "\(source.map { ": \($0.choice), perhaps" } ?? "").", isShared: true)
    default: break
    }
  }
}

extension Configuration {
  /// What training minimises on samples with these labels.
  package func loss(for labels: Labels) -> Loss { loss(classes: labels.names?.count ?? 1) }

  /// The training set, as it is in the file or as it is generated. Collective.
  fileprivate func trainingSet(
    over ranks: borrowing Communicator, progress: (_ what: String, _ share: Double) -> Void
  ) throws -> Dataset {
    if let generator = data.generator {
      return generate(generator, .training, data.synthetic ?? 0, over: ranks, progress: progress)
    }
    guard let source = data.trainSource else {
      throw Failure(.badConfiguration, Configuration.noTrainingSet, isShared: true)
    }
    return try readDataset(
      source, task: data.task, selection: data.selection, chunk: training.chunk, over: ranks,
      progress: { progress("training set", $0) })
  }

  /// The test set, with the classes and features of the training set; without samples where there is none.
  /// Collective.
  fileprivate func testSet(
    beside trained: borrowing Dataset, over ranks: borrowing Communicator,
    progress: (_ what: String, _ share: Double) -> Void
  ) throws -> Dataset {
    if let generator = data.generator, data.syntheticTest > 0 {
      return generate(generator, .test, data.syntheticTest, over: ranks, progress: progress)
    }
    guard var source = data.testSource else { return trained.withoutSamples(over: ranks) }
    try source.findLabel(as: trained.columns, over: ranks)
    var test = try readDataset(
      source, task: data.task, classes: trained.labels.names, selection: data.selection,
      chunk: training.chunk, over: ranks, progress: { progress("test set", $0) })
    try test.arrange(as: trained.columns.features, source.path, likeThatOf: "the training set")
    guard test.featureCount == trained.featureCount else {
      throw Failure(
        .badData,
        "\(source.path) has \(test.featureCount) features a sample, the training set has "
          + "\(trained.featureCount). Both need the same columns.", isShared: true)
    }
    return test
  }

  /// A generated set. Nothing is exchanged.
  private func generate(
    _ generator: Synthetic, _ part: Synthetic.Part, _ samples: Int, over ranks: borrowing Communicator,
    progress: (_ what: String, _ share: Double) -> Void
  ) -> Dataset {
    generator.samples(
      part, task: data.task,
      partition: Partition(samples: samples, ranks: ranks.size, chunk: training.chunk), rank: ranks.rank,
      progress: { progress("\(part) set", $0) })
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
