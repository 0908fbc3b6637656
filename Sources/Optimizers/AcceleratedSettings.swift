import Basics
import MPI
import Networks
import Settings
import Sums

/// The settings of method `accelerated`. One set of defaults serves every data set.
public struct AcceleratedSettings: MethodSettings {
  public static let name = "accelerated"

  public var form = AcceleratedForm.quasi_newton
  /// The least samples of a step at the start; nil is automatic.
  public var block: Int? = nil
  /// The weight of ½ Σ ‖V_l‖² beside the mean loss; nil is automatic.
  public var l2: Double? = nil
  /// ρ_l is this times the mean of the diagonal of G_l.
  public var ridge = 0.3
  /// η.
  public var step = 0.7
  /// μ.
  public var momentum = 0.9
  /// How many pairs the quasi-Newton memory holds.
  public var pairs = 20
  /// β of the update of z_L in the momentum form.
  public var beta: Float = 0.3
  /// r of the a-update in the momentum form.
  public var r = 0.1

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<AcceleratedSettings>] = [
    SettingKey(
      "form", .choice(), \.form,
      "Gradient steps in the metric of the Gram matrices, at last quasi-Newton ones; or, with \"momentum\", "
        + "Algorithm 1's own updates, without a derivative of the loss."),
    SettingKey(
      "block", .samples, \.block,
      "The least samples of a step at the start, in whole chunks; more where labels are noisy, at last all. "
        + "0: a fortieth or so of them."),
    SettingKey(
      "l2", .automatic, \.l2,
      "The weight of half the squared weights, biases left out, beside the mean loss; \"auto\" is 50 / samples, "
        + "with a loss for classes 50 / 10000 at the most."),
    SettingKey(
      "ridge", .positive, \.ridge,
      "What is added to the diagonal of each Gram matrix, as a share of the diagonal's mean."),
    SettingKey("step", .positive, \.step, "η of the steps on blocks; halved when a divergence is undone."),
    SettingKey("momentum", .share, \.momentum, "μ of the steps on blocks."),
    SettingKey(
      "pairs", .whole(from: 1, to: 1000), \.pairs,
      "How many past steps the quasi-Newton steps remember."),
    SettingKey("beta", .positive, \.beta, "Form \"momentum\": the penalty β_L of the last layer's update."),
    SettingKey("r", .positive, \.r, "Form \"momentum\": γ/β of the activations' update."),
  ]

  public var summary: String { "form \(form)" }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    switch form {
    case .quasi_newton:
      return try Accelerated.start(network, self, ChainRule(), samples, options, over: ranks)
    case .momentum:
      let rule = UpdateRule(network, beta: beta, r: r, threads: options.threads)
      return try Accelerated.start(network, self, rule, samples, options, over: ranks)
    }
  }

  /// y, and what is the same on every rank.
  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    let pairs = form == .quasi_newton ? 2 * (pairs + 1) : 0
    return network.stateBytes(samples: samples, columns: 8 + pairs, threads: threads)
  }

  public func advice(_ error: NumericalError) -> String {
    "Raise accelerated.ridge. " + NumericalError.dataAdvice
  }

  /// The default block: a fortieth of the samples or so, so that a pass is many steps, but not fewer than statistics
  /// needs, nor more than keeps ranks busy. Rounded up to a power of two of chunks, which 2, 4, 8 … ranks share
  /// evenly.
  static func defaultBlock(_ partition: Partition) -> Int {
    typealias Tuning = AcceleratedTuning
    let least = min(max(partition.samples / Tuning.blocks, Tuning.leastBlock), Tuning.mostBlock)
    var block = partition.chunk
    while block < least { block *= 2 }
    return block
  }
}

/// Which step method `accelerated` takes.
public enum AcceleratedForm: String, CaseIterable, Sendable {
  /// The gradient in the Gram metric: with momentum on blocks, by limited-memory quasi-Newton steps on all samples.
  case quasi_newton
  /// Algorithm 1's own updates from a feasible point, with momentum throughout: no derivative of the loss.
  case momentum
}
