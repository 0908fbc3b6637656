import Basics
import Datasets
import Settings

/// [data]: which samples, and how to read them. Paths are absolute.
public struct DataSection: Sendable, Equatable {
  public init() {}

  public var train: String? = nil
  public var test: String? = nil
  public var validationFraction = 0.0
  public var standardize = true
  public var task = LearningTask.classification
  public var classes: [String]? = nil
  public var positiveClass: String? = nil
  /// How files are read.
  public var options = SourceOptions()
  /// How many training samples to generate; nil if they come from a file.
  public var synthetic: Int? = nil
  public var syntheticTest = 0
  public var syntheticFeatures = 28
  public var syntheticClasses = 2
  public var syntheticNoise = 0.6
  public var syntheticSeed: UInt64 = 1

  /// Where the training set is; nil if `train` is unset.
  public var trainSource: Source? { train.map { source($0) } }

  /// Where the test set is; nil if `test` is unset.
  public var testSource: Source? { test.map { source($0, isTest: true) } }

  /// What generates the samples; nil if `synthetic` is unset.
  public var generator: Synthetic? {
    synthetic == nil
      ? nil
      : Synthetic(
        features: syntheticFeatures, classes: syntheticClasses, noise: syntheticNoise, seed: syntheticSeed)
  }

  /// Where the training set comes from, for messages: its file, or what it is generated from.
  public var trainOrigin: String { train ?? generator?.summary ?? "" }

  /// Where the test set comes from, for messages.
  public var testOrigin: String { test ?? generator?.summary ?? "" }

  /// The data set in the file `path`, read as [data] says.
  ///
  /// - Parameter isTest: whether it is read as the test set, or as the training set.
  public func source(_ path: String, isTest: Bool = false) -> Source {
    Source(path, options, isTest: isTest)
  }

  /// Which samples to take, and as what classes.
  public var selection: LabelSelection {
    positiveClass.map { .positive($0) } ?? classes.map { .only($0) } ?? .all
  }
}

extension DataSection {
  static let keys: [SettingKey<DataSection>] =
    sampleKeys + SourceOptions.keys.map { $0.of(\.options) } + syntheticKeys

  private static let sampleKeys: [SettingKey<DataSection>] = [
    SettingKey(
      unset: "train", .path, \.train,
      "The training set. Every configuration needs this or `synthetic`."),
    SettingKey(
      unset: "test", .path, \.test, "The test set, on which every evaluation is done."),
    SettingKey(
      "validation_fraction", .share,
      \.validationFraction,
      "The share of the training samples, drawn by the seed, that is kept out of training, to choose the best "
        + "iteration by."
    ),
    SettingKey(
      "standardize", .truth(), \.standardize,
      "Whether each feature is shifted and scaled to mean 0 and standard deviation 1 over the training set."),
    SettingKey(
      "task", .choice(), \.task, "Whether the labels are classes, or numbers to be predicted."),
    SettingKey(
      unset: "classes", .list("a list of two or more class names", of: .className), \.classes,
      "The classes, in the order of the network's outputs; samples of others are left out. Unset: all that the "
        + "training set has."
    ),
    SettingKey(
      unset: "positive_class", .className, \.positiveClass,
      "Makes the problem binary: this class against all others."),
  ]

  private static let syntheticKeys: [SettingKey<DataSection>] = [
    SettingKey(
      unset: "synthetic", .whole(from: 1), \.synthetic,
      "How many training samples to generate, in place of files: normal features, labelled by a random network."
    ),
    SettingKey(
      "synthetic_test", .whole(from: 0), \.syntheticTest,
      "How many test samples to generate beside them."),
    SettingKey(
      "synthetic_features", .whole(from: 1, to: 1_000_000), \.syntheticFeatures,
      "How many features a generated sample has."),
    SettingKey(
      "synthetic_classes", .whole(from: 2, to: 1000), \.syntheticClasses,
      "How many classes there are, named \"0\", \"1\" and so on. Without meaning for a regression."),
    SettingKey(
      "synthetic_noise", .nonNegative, \.syntheticNoise,
      "The standard deviation of the noise in the labels, in units of that of the labelling network's outputs."
    ),
    SettingKey(
      "synthetic_seed", .seed, \.syntheticSeed,
      "Decides the generated samples, whatever `seed` in [training] is."),
  ]
}

// MARK: What does not go together

extension DataSection {
  /// Settings that are right one by one and don't go together.
  var conflicts: [Conflict] { classConflicts + syntheticConflicts }

  /// Of how the classes are chosen.
  var classConflicts: [Conflict] {
    var found: [Conflict] = []
    if let classes {
      if classes.count < 2 {
        found.append(Conflict("data", "classes", "names \(classes.count), expected two or more."))
      }
      if Set(classes).count < classes.count {
        found.append(Conflict("data", "classes", "names a class twice."))
      }
      if positiveClass != nil {
        found.append(
          Conflict(
            "data", "positive_class",
            "can't be set beside classes. Name two classes, the positive one last, or remove one key."))
      }
    }
    if task == .regression {
      for (name, isSet) in [("classes", classes != nil), ("positive_class", positiveClass != nil)] where isSet
      {
        found.append(Conflict("data", name, "can't be set with task = \"regression\"."))
      }
    }
    return found
  }

  /// Samples come from files or are generated: a key of one kind is refused beside the other kind if it differs from
  /// its default.
  private var syntheticConflicts: [Conflict] {
    let ofBoth = ["synthetic", "validation_fraction", "standardize", "task"]
    return Self.keys.filter {
      !ofBoth.contains($0.name) && $0.name.hasPrefix("synthetic_") == (synthetic == nil)
        && $0.write(self) != $0.write(DataSection())
    }.map { key in
      Conflict(
        "data", key.name,
        synthetic == nil
          ? "needs synthetic, the number of training samples to generate."
          : "can't be set beside synthetic, which generates the samples. Remove one of the two.")
    }
  }
}

extension Synthetic {
  /// What the banner and messages call the samples.
  var summary: String { "synthetic, \(counted(features, "feature")), seed \(seed)" }
}
