import Basics
import MPI
import Settings

/// What a method is told at its start beside its own settings.
public struct StartOptions: Sendable, Equatable {
  /// Decides every random number.
  public var seed: UInt64
  /// How many sweeps are planned, by which a schedule ends.
  public var sweeps: Int
  /// How many threads share this rank's chunks. The bits don't depend on it.
  public var threads: Int

  public init(seed: UInt64 = 1, sweeps: Int = 1, threads: Int = 1) {
    self.seed = seed
    self.sweeps = sweeps
    self.threads = threads
  }
}

/// The settings of a training method, which say all that the rest of the program knows of it: its name, its keys
/// with their defaults, how it starts, the bytes that it needs, and what is said of it.
///
/// To add a method is a file with such a type and what it starts, and a line in `Configuration.methods`.
public protocol MethodSettings: Sendable, Equatable {
  /// What `training.method` calls it; its section of the configuration has this name too.
  static var name: String { get }
  /// The keys of its section.
  static var keys: [SettingKey<Self>] { get }
  /// What words of its key `preset` stand for. None by default.
  static var presets: [MethodPreset] { get }
  /// The defaults.
  init()
  /// Which kind of the method this is, for the banner: such as "preset robust".
  var summary: String { get }
  /// Rows of the banner that only this method has, such as the size of its tiles. None by default.
  func rows(_ network: Network) -> [(name: String, text: String)]
  /// What does not go with a network of these hidden widths: the key, and what is wrong with it, to follow "beta in
  /// [taylor]". Nothing by default.
  func mistakes(hidden: [Int]) -> [(key: String, message: String)]
  /// Makes the method's start values. Collective.
  ///
  /// - Throws: `NumericalError` where the data's sums are not finite; a `Failure` of this rank where the system
  ///   gives no more threads.
  func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable
  /// The bytes that training takes on a rank with so many samples, beside the features. They may be more than any
  /// machine has, or 64 bits count.
  func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double
  /// What to do about a numerical error, in the words of the configuration: one or more sentences.
  func advice(_ error: NumericalError) -> String
}

extension MethodSettings {
  public static var presets: [MethodPreset] { [] }

  public func rows(_ network: Network) -> [(name: String, text: String)] { [] }

  public func mistakes(hidden: [Int]) -> [(key: String, message: String)] { [] }
}

/// Defaults for what a configuration leaves open, under a name.
public struct MethodPreset: Sendable {
  /// The word for the key `preset` of the method's section.
  public let name: String
  /// What differs from the defaults, by `section.key`, whatever the section.
  public let defaults: [String: SettingValue]

  public init(_ name: String, _ defaults: [String: SettingValue]) {
    self.name = name
    self.defaults = defaults
  }
}

extension NumericalError {
  /// What to do about any of them, and all there is to do before a method has begun.
  public static let dataAdvice = "Look for huge values in the data (admm-mpi describe)."
}
