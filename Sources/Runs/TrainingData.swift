import Datasets
import LinearAlgebra
import Models
import Networks

/// The data of a run, prepared: what is trained on, and the sets that networks are scored on. Each rank has its own
/// blocks.
package struct TrainingData: ~Copyable {
  /// What is trained on, with the targets of one loss.
  package private(set) var samples: Samples
  /// The labels of the same samples.
  package let labels: Labels
  /// d_0 names.
  package let featureNames: [String]
  /// What the training set's file itself calls its columns.
  let columns: ColumnNames
  /// Taken out of the training set; without samples unless `data.validation_fraction` is set.
  let validation: Dataset
  /// Without samples unless `data.test` or `data.synthetic_test` is set.
  let test: Dataset
  /// What was done to the features.
  let standardization: Standardization?
  /// What was done to the targets of a regression.
  let targetScale: TargetScale?

  /// Takes over prepared sets. Local.
  ///
  /// - Parameter rank: whose part of the sets this is.
  init(
    training: consuming Dataset, validation: consuming Dataset, test: consuming Dataset,
    columns: ColumnNames, standardization: Standardization?, targetScale: TargetScale?, loss: Loss, rank: Int
  ) {
    let targets = Scoring.targets(training.labels, loss: loss)
    labels = training.labels
    featureNames = training.featureNames
    self.columns = columns
    samples = Samples(
      features: training.features, targets: targets, partition: training.partition, rank: rank)
    self.validation = validation
    self.test = test
    self.standardization = standardization
    self.targetScale = targetScale
  }

  /// Makes the targets those of another loss: the same samples for another method. Local.
  package mutating func setTargets(for loss: Loss) {
    samples.setTargets(Scoring.targets(labels, loss: loss))
  }

  /// The classes, or nil for a regression.
  package var classNames: [String]? { labels.names }

  /// What an error of 1 in a target, as training has it, is in the data's unit.
  package var unit: Double { Double(targetScale?.scale ?? 1) }
}

/// One of the sets of a run.
package enum DataPart: String, Sendable, CaseIterable { case train, validation, test }

/// A set of a run as scoring takes it. It lends the features: the data must outlive it.
package struct ScoredSet {
  package let part: DataPart
  /// (d_0 + 1) × n, this rank's samples over a row of ones.
  package let a0: Tile<Float>
  /// This rank's, on the scale that training uses.
  package let labels: Labels
  /// How many samples all ranks have together.
  package let samples: Int
  /// The global numbers of this rank's samples.
  let range: Range<Int>
}

extension TrainingData {
  /// The sets that have samples.
  package var sets: [ScoredSet] {
    func lent(_ part: DataPart, _ dataset: borrowing Dataset) -> ScoredSet {
      ScoredSet(
        part: part, a0: dataset.features.all, labels: dataset.labels, samples: dataset.partition.samples,
        range: dataset.range)
    }
    let training = ScoredSet(
      part: .train, a0: samples.a0, labels: labels, samples: samples.partition.samples, range: samples.range)
    return ([training] + [lent(.validation, validation)] + [lent(.test, test)]).filter { $0.samples > 0 }
  }

  /// One of the sets; nil where it has no samples.
  package func set(_ part: DataPart) -> ScoredSet? { sets.first { $0.part == part } }

  /// How many samples each set has, on all ranks together; nil where there are none.
  package var sampleCounts: (train: Int, validation: Int?, test: Int?) {
    (samples.partition.samples, set(.validation)?.samples, set(.test)?.samples)
  }

  /// How many samples of all sets this rank holds.
  var ownSamples: Int { samples.count + validation.range.count + test.range.count }
}

extension Labels {
  /// The classes' names; nil for targets and for none.
  var names: [String]? {
    if case .classes(_, let names) = self { names } else { nil }
  }
}
