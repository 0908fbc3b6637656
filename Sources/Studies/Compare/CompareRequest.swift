import Basics
import Configuration
import Files
import MPI
import Reports

/// What `compare` is asked.
public struct CompareRequest: Sendable {
  /// The configurations' files, at least one.
  public var files: [String]
  /// `section.key=value`, for every configuration.
  public var settings: [String]
  /// One run of each configuration for each; at least one.
  public var seeds: [UInt64]
  /// Percent of accuracy, or RMSE in the target's unit; nil for round numbers around what is reached.
  public var thresholds: [Double]?
  /// Where the results go.
  public var directory: String
  /// Whether those of a former comparison there may be replaced.
  public var overwrite: Bool

  public init(
    files: [String], settings: [String], seeds: [UInt64], thresholds: [Double]?, directory: String,
    overwrite: Bool
  ) {
    self.files = files
    self.settings = settings
    self.seeds = seeds
    self.thresholds = thresholds
    self.directory = directory
    self.overwrite = overwrite
  }
}

/// A configuration of a comparison, under the name that it has there.
struct Contender: Sendable {
  /// The file's name without its extension.
  let name: String
  let file: String
  var configuration: Configuration

  /// Such as "taylor".
  var method: String { configuration.training.method }

  /// The same for a run from `seed`.
  func configuration(seed: UInt64) -> Configuration {
    var configuration = configuration
    configuration.training.seed = seed
    return configuration
  }
}

extension CompareRequest {
  /// What the linear model is called in the table.
  static let linearModel = "linear model"

  /// Reads the configurations and makes sure that they can share one data set. Collective.
  ///
  /// Whatever `training.keep_best` says, a run ends with its best weights: those are the ones evaluated.
  ///
  /// - Throws: a shared `Failure`: `usage` where two files have one name or the thresholds don't fit the task,
  ///   `badConfiguration` where a configuration is wrong or two differ in [data], `noInput` where a file is not
  ///   there.
  func contenders(over ranks: borrowing Communicator) throws -> [Contender] {
    try checkNames()
    var contenders: [Contender] = []
    for file in files {
      var configuration = try Configuration.read(file, settings: settings, over: ranks)
      configuration.training.keepBest = true
      contenders.append(Contender(name: stem(of: file), file: file, configuration: configuration))
    }
    for other in contenders.dropFirst() { try contenders[0].checkData(of: other) }
    try checkThresholds(contenders[0].configuration)
    return contenders
  }

  private func checkNames() throws {
    var files = [Self.linearModel: "the linear model"]
    for file in self.files {
      let name = stem(of: file)
      if let other = files[name] {
        throw Failure(
          .usage,
          "\(file) would have the same name in the table as \(other): \"\(name)\". Names are those of the files "
            + "without their extension: rename one.", isShared: true)
      }
      files[name] = file
    }
  }

  private func checkThresholds(_ configuration: Configuration) throws {
    let isAccuracy = configuration.data.task == .classification
    for threshold in thresholds ?? [] where !(threshold > 0 && (threshold <= 100 || !isAccuracy)) {
      throw Failure(
        .usage,
        "--thresholds \(general(threshold, 6)): expected "
          + (isAccuracy
            ? "percentages of accuracy, above 0 and at most 100."
            : "positive errors (RMSE) in the target's unit."),
        isShared: true)
    }
  }
}

extension Contender {
  /// Refuses a configuration that would read other samples, or deal them out in other chunks.
  fileprivate func checkData(of other: Contender) throws {
    let pairs = zip(configuration.settings, other.configuration.settings)
    for (own, others) in pairs
    where (own.section == "data" || (own.section, own.name) == ("training", "chunk"))
      && own.value != others.value
    {
      throw Failure(
        .badConfiguration,
        "\(own.name) in [\(own.section)] is \(own.value ?? "not set") in \(file) and "
          + "\(others.value ?? "not set") in \(other.file). The methods are compared on one data set: make them agree, "
          + "or set it for all by --set \(own.section).\(own.name)=….", isShared: true)
    }
  }
}
