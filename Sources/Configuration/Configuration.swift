import Networks

/// All settings of a run, resolved: what the file and the command line say, and defaults for the rest.
///
/// `Configuration.keys` lists every key with its type, default and meaning; docs/configuration.md explains them.
/// Each section's type has its keys beside its fields, in the directory Sections; those of the methods stand beside
/// the methods.
public struct Configuration: Sendable, Equatable {
  public var data = DataSection()
  public var network = NetworkSection()
  public var training = TrainingSection()
  /// The sections of the methods, such as [taylor].
  public var methods = MethodTable()
  public var baselines = BaselinesSection()
  public var stop = StopSection()
  public var checkpoint = CheckpointSection()
  public var output = OutputSection()

  /// The keys that the file or the command line sets, as `section.key`; the values of all others are defaults.
  public internal(set) var named: Set<String> = []

  /// All defaults.
  public init() {}

  /// Whether all keys have the same values, wherever these come from.
  public static func == (a: Configuration, b: Configuration) -> Bool { a.resolved == b.resolved }

  /// The network for data of so many features and outputs.
  public func network(features: Int, outputs: Int) -> Network {
    Network(
      widths: [features] + network.hidden + [outputs], activation: network.activation,
      loss: loss(classes: outputs == 1 ? 2 : outputs), bias: network.bias)
  }

  /// The loss for so many classes: the one of [network], or by the task.
  public func loss(classes: Int) -> Loss {
    network.loss ?? (data.task == .regression ? .square : classes > 2 ? .softmax : .logistic)
  }

  /// What the method that trains is told at its start beside its own settings.
  public var startOptions: StartOptions {
    StartOptions(seed: training.seed, sweeps: training.iterations, threads: training.threadsPerRank)
  }
}
