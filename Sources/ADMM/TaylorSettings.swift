import Basics
import LinearAlgebra
import MPI
import Networks
import Settings

/// The settings of method `taylor`: Algorithm 1.
public struct TaylorSettings: MethodSettings {
  public static let name = "taylor"

  /// Which defaults hold for what the configuration leaves open.
  public var preset = TaylorPreset.robust
  /// β_1 … β_L > 0: the penalties on z_l = W_l a_{l−1}. Two values for deeper networks: the hidden layers' and the
  /// last's.
  public var beta = PerLayer.each([30, 0.1])
  /// γ_1 … γ_{L−1} > 0: the penalties on a_l = h(z_l).
  public var gamma = PerLayer.every(30)
  /// How many sweeps λ stays 0.
  public var warmStart = 10
  /// How a_l and z_l begin.
  public var start = StartValues.forward
  /// ρ_l is this times the mean of the Gram matrix's diagonal.
  public var ridge = 1e-3
  /// Which constraint has a multiplier.
  public var multiplier = MultiplierScope.none
  /// s in λ ← λ + s β_L (z_L − W_L a_{L−1}): 1 in the paper; 2 is the step of the exact multiplier.
  public var dualStep: Float = 1
  /// Whether a_l is stored. The bits don't depend on it.
  public var storage = ActivationStorage.automatic

  /// The defaults.
  public init() {}

  public static let keys: [SettingKey<TaylorSettings>] = [
    SettingKey(
      "preset", .choice(), \.preset,
      "Defaults for what the configuration leaves open: the paper to the letter, or what trains well."),
    SettingKey(
      "beta", PerLayer.kind("weight layer"), \.beta,
      "The penalty β on the difference between a layer's outputs and weights times inputs. Two values are the "
        + "hidden layers' and the last layer's, whatever the depth."),
    SettingKey(
      "gamma", PerLayer.kind("hidden layer"), \.gamma,
      "The penalty γ on the difference between a layer's activations and the function of its outputs."),
    SettingKey(
      "warm_start", .whole(from: 0), \.warmStart,
      "How many iterations go by before the multiplier is first updated."),
    SettingKey(
      "start", .choice(), \.start,
      "How the variables begin: as random numbers, or by a forward pass through random weights."),
    SettingKey(
      "ridge", .nonNegative, \.ridge,
      "What is added to the diagonal of each system for the weights, as a share of the diagonal's mean."),
    SettingKey(
      "multiplier", .choice(), \.multiplier,
      "Whether the last layer's constraint has a Lagrange multiplier, as in the paper. "
        + "Method `consistent` has one on every constraint."),
    SettingKey(
      "dual_step", .positive, \.dualStep,
      "The step of the multiplier's update, in units of β: 1 in the paper, 2 is exact."),
    SettingKey(
      "activations", .choice(), \.storage,
      "Whether a hidden layer's activations are kept in memory, or computed anew twice an iteration; "
        + "\"auto\" takes the faster. The results are the same."),
  ]

  public static let presets = [
    MethodPreset(
      TaylorPreset.paper.rawValue,
      [
        "network.bias": .truth(false), "network.loss": .text("hinge"), "training.keep_best": .truth(false),
        "taylor.beta": .whole(1),
        "taylor.gamma": .whole(10), "taylor.start": .text(StartValues.gaussian.rawValue),
        "taylor.ridge": .whole(0), "taylor.multiplier": .text(MultiplierScope.last.rawValue),
      ])
  ]

  public var summary: String { "preset \(preset)" }

  /// How an iteration goes through a rank's samples: "80 samples; activations of layer 1 stored, of layer 2
  /// recomputed".
  public func rows(_ network: Network) -> [(name: String, text: String)] {
    let isStored = storage.isStored(network)
    let layers = (1..<network.L).map { "of layer \($0) \(isStored[$0] ? "stored" : "recomputed")" }
    let tile = counted(Taylor.tileColumns(network), "sample")
    return [("tile", tile + (layers.isEmpty ? "" : "; activations \(layers.joined(separator: ", "))"))]
  }

  public func mistakes(hidden: [Int]) -> [(key: String, message: String)] {
    func mistake(_ key: String, _ penalty: PerLayer, _ count: Int, _ layer: String) -> (String, String)? {
      guard case .each(let values) = penalty, values.count != count else { return nil }
      return (
        key,
        "has \(values.count) values, but hidden = \(hidden) in [network] makes "
          + "\(count) \(layer) layer\(count == 1 ? "" : "s")."
      )
    }
    // Two values of β fit any depth.
    let hasTwo = if case .each(let values) = beta { values.count == 2 } else { false }
    return [
      hasTwo ? nil : mistake("beta", beta, hidden.count + 1, "weight"),
      mistake("gamma", gamma, hidden.count, "hidden"),
    ].compactMap { $0 }
  }

  public func start(
    _ network: Network, _ samples: borrowing Samples, _ options: StartOptions,
    over ranks: borrowing Communicator
  ) throws -> any TrainingMethod & ~Copyable {
    try Taylor.start(network, self, samples, options, over: ranks)
  }

  /// z_l, λ, y, what is stored of a_l, and what is the same on every rank.
  public func stateBytes(_ network: Network, samples: Int, threads: Int) -> Double {
    let (L, d) = (network.L, network.widths)
    let isStored = storage.isStored(network)
    var numbers = 3 * d[L]
    for l in 1..<L {
      numbers += paddedRows(d[l])
      if isStored[l] { numbers += paddedRows(d[l] + 1) }
    }
    return Double(numbers * MemoryLayout<Float>.size) * Double(samples)
      + network.systemBytes(threads: threads)
  }

  public func advice(_ error: NumericalError) -> String {
    "Raise taylor.ridge, change taylor.beta or taylor.gamma. " + NumericalError.dataAdvice
  }

  /// Whether λ is updated at all.
  var hasMultiplier: Bool { multiplier == .last }
}

/// Which defaults of `taylor` hold for what the configuration leaves open.
public enum TaylorPreset: String, CaseIterable, Sendable {
  /// The paper to the letter.
  case paper
  /// What trains well.
  case robust
}

/// How Algorithm 1 starts.
public enum StartValues: String, CaseIterable, Sendable {
  /// Every entry of a_l and z_l is an independent N(0, 1) number: the paper's.
  case gaussian
  /// W_l has independent N(0, 2 / d_{l−1}) entries, and one forward pass gives z_l and a_l.
  case forward
}

/// Which constraint of Algorithm 1 has a Lagrange multiplier.
public enum MultiplierScope: String, CaseIterable, Sendable {
  case none
  /// z_L = W_L a_{L−1}, as in the paper.
  case last
}
