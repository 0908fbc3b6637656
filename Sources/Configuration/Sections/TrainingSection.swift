import Optimizers
import Settings

/// [training]: what holds for every method.
public struct TrainingSection: Sendable, Equatable {
  public init() {}

  /// The name of one of `Configuration.methods`.
  public var method = AcceleratedSettings.name
  public var iterations = 40
  public var seed: UInt64 = 1
  /// Samples a chunk; `nil` is automatic (`Partition.defaultChunk`).
  public var chunk: Int? = nil
  /// Threads that share a rank's tiles. A BLAS call has one thread, whatever this is.
  public var threadsPerRank = 1
  public var keepBest = true

  static let keys: [SettingKey<TrainingSection>] = [
    SettingKey(
      "method", .word(of: Configuration.methodNames), \.method,
      "How to train. Unset: \"taylor\" where its section is there, else \"accelerated\"."),
    SettingKey(
      "iterations", .whole(from: 1, to: 1_000_000_000), \.iterations, "How many iterations at the most."),
    SettingKey("seed", .seed, \.seed, "Decides every random number."),
    SettingKey(
      "chunk", .samples, \.chunk,
      "How many consecutive samples are summed up at a time; 0 is automatic. Ranks own whole chunks: smaller "
        + "ones share out evenly, larger ones are faster. The weights' last bits depend on this, never on the "
        + "number of ranks."),
    SettingKey(
      "threads_per_rank", .whole(from: 1, to: 1024), \.threadsPerRank,
      "How many threads of a rank share its tiles."),
    SettingKey(
      "keep_best", .truth(), \.keepBest,
      "Whether the model of the best evaluated iteration is saved in place of the last one's: by accuracy or RMSE on "
        + "the validation set; where there is none, by the objective."),
  ]
}
