import ADMM
import Datasets
import Files
import MPI
import Reports
import Settings

extension Configuration {
  /// One key: all that the program knows about it. Reading, `--print-config` and the check of the manual work from this.
  public struct Key: Sendable {
    /// The section's name, without brackets.
    public let section: String
    /// The key's name.
    public let name: String
    /// What the key accepts: completes "expected …".
    public let expected: String
    /// What it does, in a sentence or two.
    public let meaning: String
    /// Takes over a value, or returns false.
    let read: @Sendable (SettingValue, inout Configuration) -> Bool
    /// The value in force; nil if there is none.
    let write: @Sendable (Configuration) -> SettingValue?
    /// One more sentence about a refused value.
    let hint: @Sendable (SettingValue) -> String?

    /// A key that always has a value.
    init<Value>(
      _ section: String, _ name: String, _ kind: ValueKind<Value>,
      _ field: WritableKeyPath<Configuration, Value> & Sendable, _ meaning: String
    ) {
      self.section = section
      self.name = name
      self.meaning = meaning
      expected = kind.expected
      hint = kind.hint
      read = { datum, configuration in
        guard let value = kind.read(datum) else { return false }
        configuration[keyPath: field] = value
        return true
      }
      write = { kind.write($0[keyPath: field]) }
    }

    /// A key that may be left unset.
    init<Value>(
      unset section: String, _ name: String, _ kind: ValueKind<Value>,
      _ field: WritableKeyPath<Configuration, Value?> & Sendable, _ meaning: String
    ) {
      self.section = section
      self.name = name
      self.meaning = meaning
      expected = kind.expected
      hint = kind.hint
      read = { datum, configuration in
        guard let value = kind.read(datum) else { return false }
        configuration[keyPath: field] = value
        return true
      }
      write = { $0[keyPath: field].map(kind.write) }
    }

    /// `section.key`, as `--set` takes it.
    public var path: String { "\(section).\(name)" }

    /// The default under a preset, in TOML; nil if the key is unset.
    public func standard(_ preset: Preset) -> String? { write(Configuration(preset: preset))?.toml }
  }

  /// The sections in the order in which they are shown.
  public static let sections = [
    "data", "network", "training", "taylor", "accelerated", "sgd", "adam", "cg", "lbfgs", "baselines", "stop",
    "output",
  ]

  /// Every key there is, section by section.
  public static let keys: [Key] =
    dataKeys + formatKeys + syntheticKeys + modelKeys + taylorKeys + acceleratedKeys + baselineKeys + runKeys

  private static let dataKeys = [
    Key(
      unset: "data", "train", path, \.data.train,
      "The training set. Every configuration needs this or `synthetic`."),
    Key(unset: "data", "test", path, \.data.test, "The test set, on which every evaluation is done."),
    Key(
      "data", "validation_fraction", .number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 },
      \.data.validationFraction,
      "The share of the training samples, drawn by the seed, that is kept out of training, to choose the best iteration by."
    ),
    Key(
      "data", "standardize", .truth(), \.data.standardize,
      "Whether each feature is shifted and scaled to mean 0 and standard deviation 1 over the training set."),
    Key(
      "data", "task", .choice(), \.data.task, "Whether the labels are classes, or numbers to be predicted."),
    Key(
      unset: "data", "classes", .list("a list of two or more class names", of: className), \.data.classes,
      "The classes, in the order of the network's outputs; samples of others are left out. Unset: all that the training set has."
    ),
    Key(
      unset: "data", "positive_class", className, \.data.positiveClass,
      "Makes the problem binary: this class against all others."),
  ]

  private static let formatKeys = [
    Key("data", "format", .choice(), \.data.format, "The files' format; \"auto\" goes by the names."),
    Key(
      "data", "header", .optional(.text("auto"), or: .truth()), \.data.header,
      "CSV: whether the first line names the columns."),
    Key(
      "data", "delimiter", delimiter, \.data.delimiter,
      "CSV: what separates the fields; \"auto\" finds it in the first line."),
    Key(
      "data", "label_column", labelColumn, \.data.labelColumn,
      "CSV: the column that holds the label, by its number from 1 or its name in the header."),
    Key(
      unset: "data", "train_labels", path, \.data.trainLabels,
      "IDX: the training set's labels. Unset: the name of the images with \"labels-idx1\" for \"images-idx3\"."
    ),
    Key(unset: "data", "test_labels", path, \.data.testLabels, "IDX: the test set's labels."),
    Key(
      "data", "features_dataset", .text("the name of a dataset"), \.data.featuresDataset,
      "HDF5: the dataset of shape [samples, features]."),
    Key(
      "data", "labels_dataset", .text("the name of a dataset"), \.data.labelsDataset,
      "HDF5: the dataset of shape [samples]."),
  ]

  private static let syntheticKeys = [
    Key(
      unset: "data", "synthetic", .whole(from: 1), \.data.synthetic,
      "How many training samples to generate, in place of files: normal features, labelled by a random network."
    ),
    Key(
      "data", "synthetic_test", .whole(from: 0), \.data.syntheticTest,
      "How many test samples to generate beside them."),
    Key(
      "data", "synthetic_features", .whole(from: 1), \.data.syntheticFeatures,
      "How many features a generated sample has."),
    Key(
      "data", "synthetic_classes", classCount, \.data.syntheticClasses,
      "How many classes there are, named \"0\", \"1\" and so on. Without meaning for a regression."),
    Key(
      "data", "synthetic_noise", .number("a number, 0 or more") { $0 >= 0 }, \.data.syntheticNoise,
      "The standard deviation of the noise in the labels, in units of that of the labelling network's outputs."
    ),
    Key(
      "data", "synthetic_seed", seed, \.data.syntheticSeed,
      "Decides the generated samples, whatever `seed` in [training] is."),
  ]

  private static let modelKeys = [
    Key(
      "network", "hidden",
      .list("a list of whole numbers, 1 or more, such as [300] or [100, 50]", of: .whole(from: 1)),
      \.network.hidden, "The widths of the hidden layers, from the first. [] is a linear model."),
    Key("network", "activation", .choice(), \.network.activation, "The function of the hidden layers."),
    Key("network", "loss", .choice(), \.network.loss, "What training minimises."),
    Key("network", "bias", .truth(), \.network.bias, "Whether every layer has a bias."),

    Key("training", "method", .choice(), \.training.method, "How to train."),
    Key("training", "iterations", .whole(from: 1), \.training.iterations, "How many iterations at the most."),
    Key("training", "seed", seed, \.training.seed, "Decides every random number."),
    Key(
      "training", "chunk", chunk, \.training.chunk,
      "How many consecutive samples are summed up at a time; 0 is automatic. Ranks own whole chunks: smaller ones share out "
        + "evenly, larger ones are faster. The weights' last bits depend on this, never on the number of ranks."
    ),
    Key(
      "training", "threads_per_rank", .whole(from: 1, to: 1024), \.training.threadsPerRank,
      "How many threads of a rank share its tiles."),
    Key(
      "training", "keep_best", .truth(), \.training.keepBest,
      "Whether the model of the best evaluated iteration is saved in place of the last one's."),
  ]

  private static let taylorKeys = [
    Key(
      "taylor", "preset", .choice(), \.taylor.preset,
      "Defaults for what the configuration leaves open: the paper to the letter, or what trains well."),
    Key(
      "taylor", "beta", penalty("weight layer"), \.taylor.beta,
      "The penalty β on the difference between a layer's outputs and weights times inputs. Two values are the "
        + "hidden layers' and the last layer's, whatever the depth."),
    Key(
      "taylor", "gamma", penalty("hidden layer"), \.taylor.gamma,
      "The penalty γ on the difference between a layer's activations and the function of its outputs."),
    Key(
      "taylor", "warm_start", .whole(from: 0), \.taylor.warmStart,
      "How many iterations go by before the multiplier is first updated."),
    Key(
      "taylor", "start", .choice(), \.taylor.start,
      "How the variables begin: as random numbers, or by a forward pass through random weights."),
    Key(
      "taylor", "ridge", .number("a number, 0 or more") { $0 >= 0 }, \.taylor.ridge,
      "What is added to the diagonal of each system for the weights, as a share of the diagonal's mean."),
    Key(
      "taylor", "multiplier", .choice(), \.taylor.multiplier,
      "Which constraints have a Lagrange multiplier: the last layer's is the paper's; with all of them the method learns what "
        + "backpropagation does."),
    Key(
      "taylor", "dual_step", float("a positive number"), \.taylor.dualStep,
      "The step of the multiplier's update, in units of β: 1 in the paper, 2 is exact."),
    Key(
      "taylor", "activations", .choice(), \.taylor.activations,
      "Whether a hidden layer's activations are kept in memory, or computed anew twice an iteration; \"auto\" takes the faster. "
        + "The results are the same."),
    Key(
      "taylor", "penalty", .number("a positive number") { $0 > 0 }, \.taylor.consistent.beta,
      "With all multipliers: β of the last layer at the start; the others follow from the weights."),
    Key(
      "taylor", "l2", automatic, \.taylor.consistent.l2,
      "With all multipliers: the weight of half the squared weights, biases left out, beside the mean loss; \"auto\" is 90 / samples."
    ),
    Key(
      "taylor", "proximal", .number("a positive number") { $0 > 0 }, \.taylor.consistent.proximal,
      "With all multipliers: how strongly weights are held to what they were, as a share of the Gram matrix's mean diagonal."
    ),
    Key(
      "taylor", "momentum", .number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 },
      \.taylor.consistent.momentum, "With all multipliers: the momentum of the weights."),
    Key(
      "taylor", "safeguard", .truth(), \.taylor.consistent.safeguard,
      "With all multipliers: whether penalties rise, and the momentum is dropped, when the objective rises."),
  ]

  private static let acceleratedKeys = [
    Key(
      "accelerated", "form", .choice(), \.accelerated.form,
      "Gradient steps in the metric of the Gram matrices, at last quasi-Newton ones; or, with \"momentum\", Algorithm 1's own updates, "
        + "without a derivative of the loss."),
    Key(
      "accelerated", "block", chunk, \.accelerated.block,
      "The least samples of a step at the start, in whole chunks; more where labels are noisy, at last all. 0: a fortieth or so of them."
    ),
    Key(
      "accelerated", "l2", automatic, \.accelerated.l2,
      "The weight of half the squared weights, biases left out, beside the mean loss; \"auto\" is 50 / samples."
    ),
    Key(
      "accelerated", "ridge", .number("a positive number") { $0 > 0 }, \.accelerated.ridge,
      "What is added to the diagonal of each Gram matrix, as a share of the diagonal's mean."),
    Key(
      "accelerated", "step", .number("a positive number") { $0 > 0 }, \.accelerated.step,
      "η of the steps on blocks; halved when a divergence is undone."),
    Key(
      "accelerated", "momentum", .number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 },
      \.accelerated.momentum, "μ of the steps on blocks."),
    Key(
      "accelerated", "pairs", .whole(from: 1), \.accelerated.pairs,
      "How many past steps the quasi-Newton steps remember."),
    Key(
      "accelerated", "beta", float("a positive number"), \.accelerated.beta,
      "Form \"momentum\": the penalty β_L of the last layer's update."),
    Key(
      "accelerated", "r", .number("a positive number") { $0 > 0 }, \.accelerated.r,
      "Form \"momentum\": γ/β of the activations' update."),
  ]

  private static let runKeys = [
    Key(
      unset: "stop", "target_accuracy", .number("a number above 0, at most 1") { $0 > 0 && $0 <= 1 },
      \.stop.targetAccuracy, "Stop when the test accuracy reaches this."),
    Key(
      unset: "stop", "tolerance", .number("a positive number") { $0 > 0 }, \.stop.tolerance,
      "Stop when the objective changes by less than this share of itself from one evaluation to the next."),
    Key(
      unset: "stop", "patience", .whole(from: 1), \.stop.patience,
      "Stop after this many evaluations in a row without a new best one."),
    Key(
      unset: "stop", "time_limit", duration, \.stop.timeLimit,
      "Stop when training has taken this long, in seconds or as in \"1h30m\"."),

    Key(
      unset: "output", "directory", .text("a path"), \.output.directoryIfAny,
      "The run directory, which is made, relative to the current directory. Unset: runs/ and the configuration file's name without .toml."
    ),
    Key(
      "output", "evaluate_every", .whole(from: 1), \.output.evaluateEvery,
      "How many iterations lie between evaluations; the last one is always evaluated."),
    Key(
      "output", "overwrite", .truth(), \.output.overwrite,
      "Whether a run directory that holds a run may be written over."),
  ]

  // MARK: Kinds of a single key

  private static let automatic = ValueKind<Double?>.optional(
    .text("auto"), or: .number("a number, 0 or more") { $0 >= 0 })

  private static let path = ValueKind<String>.text("a path")

  private static let className = ValueKind<String>(expected: "the name of a class") {
    switch $0 {
    case .text(let text) where !text.isEmpty: text
    case .whole(let whole): "\(whole)"
    default: nil
    }
  } write: {
    .text($0)
  }

  private static let delimiter = ValueKind<Character?>(
    expected: "\"auto\", \"tab\", \"space\" or one character"
  ) {
    guard case .text(let text) = $0 else { return nil }
    switch text {
    case "auto": return .some(.none)
    case "tab": return "\t"
    case "space": return " "
    default:
      guard let only = text.first, text.count == 1, only.isASCII, !only.isNewline, only != "\"" else {
        return nil
      }
      return only
    }
  } write: {
    switch $0 {
    case nil: .text("auto")
    case "\t": .text("tab")
    case " ": .text("space")
    case .some(let character): .text(String(character))
    }
  }

  private static let labelColumn = ValueKind<Source.LabelColumn>(
    expected: "a column's number from 1, its name, or \"none\""
  ) {
    switch $0 {
    case .whole(let number) where number >= 1: .number(number)
    case .text("none"): Source.LabelColumn.none
    case .text(let name) where !name.isEmpty: .name(name)
    default: nil
    }
  } write: {
    switch $0 {
    case .none: .text("none")
    case .number(let number): .whole(number)
    case .name(let name): .text(name)
    }
  }

  private static let seed = ValueKind<UInt64>(expected: "a whole number, 0 or more") {
    if case .whole(let whole) = $0 { UInt64(exactly: whole) } else { nil }
  } write: {
    .whole(Int($0))
  }

  private static let classCount = ValueKind<Int>(expected: "a whole number from 2 to 1000") {
    if case .whole(let whole) = $0, (2...1000).contains(whole) { whole } else { nil }
  } write: {
    .whole($0)
  }

  static let chunk = ValueKind<Int?>(expected: "a whole number, 0 or more") {
    if case .whole(let whole) = $0, whole >= 0 { .some(whole == 0 ? nil : whole) } else { nil }
  } write: {
    .whole($0 ?? 0)
  }

  private static func float(_ expected: String) -> ValueKind<Float> {
    ValueKind<Float>(expected: expected) {
      finite($0) { Float($0) > 0 && Float($0).isFinite }.map { Float($0) }
    } write: {
      // The shortest text that reads back as this Float, not the digits of the nearest Double.
      .number(Double("\($0)") ?? Double($0))
    }
  }

  private static func penalty(_ layer: String) -> ValueKind<PerLayer> {
    let one = float("a positive number")
    let list = ValueKind<[Float]>.list("", of: one)
    return ValueKind<PerLayer>(expected: "a positive number, or a list of them, one for each \(layer)") {
      one.read($0).map { .every($0) } ?? list.read($0).map { .each($0) }
    } write: {
      switch $0 {
      case .every(let value): one.write(value)
      case .each(let values): list.write(values)
      }
    }
  }

  private static let duration = ValueKind<Double>(
    expected: "a positive number of seconds, or a time such as \"1h30m\""
  ) {
    let limit: Double?
    if case .text(let text) = $0 { limit = seconds(text) } else { limit = finite($0) { _ in true } }
    return limit.flatMap { $0 > 0 ? $0 : nil }
  } write: {
    .number($0)
  }
}
