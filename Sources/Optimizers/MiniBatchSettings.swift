import Basics
import Glibc
import Networks
import Settings

/// What every mini-batch method is told.
public struct MiniBatchSettings: Sendable, Equatable {
  /// η.
  public var rate: Double
  /// The least samples of a step, rounded up to whole chunks.
  public var block = 512
  public var schedule = RateSchedule.cosine
  /// The weight of ½ Σ ‖V_l‖² beside the mean loss; part of the gradient, so that all methods minimise the same
  /// objective.
  public var l2 = 1e-4

  /// Defaults but for the rate.
  public init(rate: Double) { self.rate = rate }

  static let keys: [SettingKey<MiniBatchSettings>] = [
    SettingKey("rate", .positive, \.rate, "η of the first step."),
    SettingKey(
      "block", .whole(from: 1), \.block,
      "The least samples of a step, rounded up to whole chunks; an iteration is a pass over all blocks."),
    SettingKey(
      "schedule", .choice(), \.schedule,
      "Whether the rate stays, or goes down to 0 over the iterations along half a wave of the cosine."),
    l2Key(\.l2),
  ]

  var summary: String {
    "rate \(rate) (\(schedule)), steps of \(counted(block, "sample")) or more, L2 \(l2)"
  }

  /// The bytes of a method with `means` running means: y, the weights in two forms, their gradient and its means,
  /// and a pass.
  func stateBytes(_ network: Network, samples: Int, threads: Int, means: Int) -> Double {
    network.stateBytes(samples: samples, columns: 3 + means, threads: threads)
  }
}

/// How the rate of a mini-batch method changes while it trains.
public enum RateSchedule: String, CaseIterable, Sendable {
  /// The same for every step.
  case constant
  /// rate · ½ (1 + cos(π t / T)) in step t of T: down to 0 in the last. Loshchilov & Hutter (2017), without
  /// restarts.
  case cosine

  /// The factor of the rate in step `step`, from 0, of `steps`.
  func factor(step: Int, of steps: Int) -> Double {
    switch self {
    case .constant: 1
    case .cosine: 0.5 * (1 + cos(.pi * Double(min(step, steps)) / Double(steps)))
    }
  }
}

/// The key `l2` of methods that minimise the mean loss and L2 as they are told.
func l2Key<Settings>(_ field: WritableKeyPath<Settings, Double> & Sendable) -> SettingKey<Settings> {
  SettingKey(
    "l2", .nonNegative, field,
    "The weight of half the squared weights, biases left out, beside the mean loss.")
}
