import ADMM
import Datasets
import Files
import Networks
import Optimizers
import Reports

/// All settings of a run, resolved: what the file and the command line say, and defaults for the rest.
///
/// `Configuration.keys` lists every key with its type, default and meaning; docs/configuration.md explains them. The fields here
/// have the keys' names in Swift's spelling.
public struct Configuration: Sendable, Equatable {
  /// [data]: which samples, and how to read them. Paths are absolute.
  public struct Data: Sendable, Equatable {
    public init() {}

    public var train: String? = nil
    public var test: String? = nil
    public var validationFraction = 0.0
    public var standardize = true
    public var task = LearningTask.classification
    public var classes: [String]? = nil
    public var positiveClass: String? = nil
    public var format = Source.Format.auto
    public var header: Bool? = nil
    public var delimiter: Character? = nil
    public var labelColumn = Source.LabelColumn.number(1)
    public var trainLabels: String? = nil
    public var testLabels: String? = nil
    public var featuresDataset = "features"
    public var labelsDataset = "labels"
    /// How many training samples to generate; nil if they come from a file.
    public var synthetic: Int? = nil
    public var syntheticTest = 0
    public var syntheticFeatures = 28
    public var syntheticClasses = 2
    public var syntheticNoise = 0.6
    public var syntheticSeed: UInt64 = 1

    /// Where the training set is; nil if `train` is unset.
    public var trainSource: Source? { train.map { source($0, labelsPath: trainLabels) } }

    /// Where the test set is; nil if `test` is unset.
    public var testSource: Source? { test.map { source($0, labelsPath: testLabels) } }

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
    public func source(_ path: String, labelsPath: String? = nil) -> Source {
      Source(
        path, format: format, header: header, delimiter: delimiter, labelColumn: labelColumn,
        labelsPath: labelsPath, featuresDataset: featuresDataset, labelsDataset: labelsDataset)
    }

    /// Which samples to take, and as what classes.
    public var selection: LabelSelection {
      positiveClass.map { .positive($0) } ?? classes.map { .only($0) } ?? .all
    }
  }

  /// [network]: the shape, without the first and the last width, which the data decide.
  public struct Network: Sendable, Equatable {
    public init() {}

    public var hidden = [300]
    public var activation = Activation.relu
    public var loss = Loss.hinge
    public var bias = true
  }

  /// [training]: what holds for every method.
  public struct Training: Sendable, Equatable {
    public init() {}

    public var method = Method.taylor
    public var iterations = 30
    public var seed: UInt64 = 1
    /// Samples a chunk; `nil` is automatic (`Partition.defaultChunk`).
    public var chunk: Int? = nil
    /// Threads that share a rank's tiles. A BLAS call has one thread, whatever this is.
    public var threadsPerRank = 1
    public var keepBest = true
  }

  /// The training methods of this version.
  public enum Method: String, CaseIterable, Sendable {
    case taylor
    case accelerated
    case sgd
    case adam
    case cg
    case lbfgs
  }

  /// [taylor]: Algorithm 1.
  public struct Taylor: Sendable, Equatable {
    public init() {}

    public var preset = Preset.robust
    /// Two values for deeper networks: the hidden layers' and the last's.
    public var beta = PerLayer.each([30, 0.1])
    public var gamma = PerLayer.every(30)
    public var warmStart = 10
    public var start = Start.forward
    public var ridge = 1e-3
    public var multiplier = MultiplierScope.none
    public var dualStep: Float = 1
    public var activations = ActivationStorage.automatic
    /// What goes with `multiplier` = "all".
    public var consistent = ConsistentSettings()
  }

  /// [accelerated]: the weight system of Algorithm 1 around consistent activations.
  public typealias Accelerated = AcceleratedSettings

  /// [sgd]: stochastic gradient descent.
  public typealias SGD = SGDSettings

  /// [adam]: Adam.
  public typealias Adam = AdamSettings

  /// [cg]: nonlinear conjugate gradients.
  public typealias CG = ConjugateGradientSettings

  /// [lbfgs]: L-BFGS.
  public typealias LBFGS = LBFGSSettings

  /// [baselines]: what is trained beside the network, on the same data.
  public struct Baselines: Sendable, Equatable {
    public init() {}

    public var methods: [Baseline] = []
    /// nil is `training.iterations`.
    public var iterations: Int? = nil
  }

  /// What can be trained for comparison.
  public enum Baseline: String, CaseIterable, Sendable {
    case taylor
    case accelerated
    case sgd
    case adam
    case cg
    case lbfgs
    case random_features

    /// The training method of this name; nil for what takes no iterations.
    public var method: Method? { Method(rawValue: rawValue) }
  }

  /// Which constraints have a Lagrange multiplier.
  public enum MultiplierScope: String, CaseIterable, Sendable {
    case none
    /// z_L = W_L a_{L−1}, as in the paper.
    case last
    /// All: `ConsistentTaylor`.
    case all
  }

  /// A set of defaults for what the file leaves open.
  public enum Preset: String, CaseIterable, Sendable {
    /// The paper to the letter.
    case paper
    /// What trains well.
    case robust
    /// What learns most: a multiplier on every constraint.
    case consistent
  }

  /// A penalty, the same for every layer or one for each.
  public enum PerLayer: Sendable, Equatable {
    case every(Float)
    case each([Float])

    /// The penalties of `count` layers, from the first; a configuration that was read has as many.
    ///
    /// Two values for another number of weight layers are the hidden layers' and the last's.
    public func values(_ count: Int) -> [Float] {
      switch self {
      case .every(let value): return [Float](repeating: value, count: count)
      case .each(let values) where values.count == 2 && count >= 1:
        return [Float](repeating: values[0], count: count - 1) + [values[1]]
      case .each(let values):
        precondition(values.count == count, "\(values.count) penalties for \(count) layers")
        return values
      }
    }
  }

  /// [stop]: when to stop before the last iteration.
  public struct Stop: Sendable, Equatable {
    public init() {}

    public var targetAccuracy: Double? = nil
    public var tolerance: Double? = nil
    public var patience: Int? = nil
    /// Seconds.
    public var timeLimit: Double? = nil
  }

  /// [output]: what a run leaves, and how often it reports.
  public struct Output: Sendable, Equatable {
    public init() {}

    /// Empty only in a configuration that was not read from a file.
    public var directory = ""
    public var evaluateEvery = 1
    public var overwrite = false

    var directoryIfAny: String? {
      get { directory.isEmpty ? nil : directory }
      set { directory = newValue ?? "" }
    }
  }

  public var data = Data()
  public var network = Network()
  public var training = Training()
  public var taylor = Taylor()
  public var accelerated = Accelerated()
  public var sgd = SGD()
  public var adam = Adam()
  public var cg = CG()
  public var lbfgs = LBFGS()
  public var baselines = Baselines()
  public var stop = Stop()
  public var output = Output()

  /// All defaults of a preset.
  public init(preset: Preset) {
    taylor.preset = preset
    switch preset {
    case .paper:
      network.bias = false
      taylor.beta = .every(1)
      taylor.gamma = .every(10)
      taylor.start = .gaussian
      taylor.ridge = 0
      taylor.multiplier = .last
      training.keepBest = false
    case .robust:
      break
    case .consistent:
      taylor.multiplier = .all
    }
  }

  /// L: how many weight layers the network has.
  public var weightLayers: Int { network.hidden.count + 1 }

  /// The network for data of so many features and outputs.
  public func network(features: Int, outputs: Int) -> Networks.Network {
    Networks.Network(
      widths: [features] + network.hidden + [outputs], activation: network.activation, loss: network.loss,
      bias: network.bias)
  }

  /// What method `accelerated` takes from [accelerated] and [training].
  public var acceleratedSettings: AcceleratedSettings {
    var settings = accelerated
    settings.seed = training.seed
    return settings
  }

  /// What Algorithm 1 with a multiplier on every constraint takes from [taylor] and [training].
  public var consistentSettings: ConsistentSettings {
    var settings = taylor.consistent
    settings.seed = training.seed
    return settings
  }

  /// What Algorithm 1 takes from [taylor] and [training].
  public var taylorSettings: TaylorSettings {
    TaylorSettings(
      beta: taylor.beta.values(weightLayers), gamma: taylor.gamma.values(weightLayers - 1),
      ridge: taylor.ridge, warmStart: taylor.warmStart, hasMultiplier: taylor.multiplier == .last,
      dualStep: taylor.dualStep, start: taylor.start, seed: training.seed,
      storage: taylor.activations)
  }
}

extension Synthetic {
  /// What the banner and messages call the samples.
  var summary: String { "synthetic, \(counted(features, "feature")), seed \(seed)" }
}
