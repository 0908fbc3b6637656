import Basics
import Optimizers
import Settings

extension Configuration {
  /// The sections of the methods of `Baselines`, and [baselines].
  static let baselineKeys =
    [
      rate("sgd", \.sgd.common.rate),
      Key(
        "sgd", "momentum", .number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 },
        \.sgd.momentum, "μ: the share of the former steps that a step repeats."),
      Key("sgd", "nesterov", .truth(), \.sgd.nesterov, "Whether a step looks ahead along the momentum."),
      block("sgd", \.sgd.common.block), schedule("sgd", \.sgd.common.schedule), l2("sgd", \.sgd.common.l2),

      rate("adam", \.adam.common.rate), decay("beta1", \.adam.beta1, "gradients"),
      decay("beta2", \.adam.beta2, "squared gradients"),
      Key(
        "adam", "epsilon", .number("a positive number") { $0 > 0 }, \.adam.epsilon,
        "What is added to the root of the mean square, by which a step is divided."),
      block("adam", \.adam.common.block), schedule("adam", \.adam.common.schedule),
      l2("adam", \.adam.common.l2),

      l2("cg", \.cg.l2),

      Key("lbfgs", "pairs", .whole(from: 1), \.lbfgs.pairs, "How many past steps are remembered."),
      l2("lbfgs", \.lbfgs.l2),

      Key(
        "baselines", "methods", .list("a list of any of " + baselineNames, of: .choice()),
        \.baselines.methods,
        "What else is trained on the same data, to be held against: each a row of the last table. A linear model always is."
      ),
      Key(
        unset: "baselines", "iterations", .whole(from: 1), \.baselines.iterations,
        "How many iterations each of them gets. Unset: as many as `iterations` in [training]."),
    ]

  private static let baselineNames = Baseline.allCases.map { quoted($0.rawValue) }.joined(separator: ", ")

  private typealias Field<Value> = WritableKeyPath<Configuration, Value> & Sendable

  private static func rate(_ section: String, _ field: Field<Double>) -> Key {
    Key(section, "rate", .number("a positive number") { $0 > 0 }, field, "η of the first step.")
  }

  private static func block(_ section: String, _ field: Field<Int>) -> Key {
    Key(
      section, "block", .whole(from: 1), field,
      "The least samples of a step, rounded up to whole chunks; an iteration is a pass over all blocks.")
  }

  private static func schedule(_ section: String, _ field: Field<RateSchedule>) -> Key {
    Key(
      section, "schedule", .choice(), field,
      "Whether the rate stays, or goes down to 0 over the iterations along half a wave of the cosine.")
  }

  private static func l2(_ section: String, _ field: Field<Double>) -> Key {
    Key(
      section, "l2", .number("a number, 0 or more") { $0 >= 0 }, field,
      "The weight of half the squared weights, biases left out, beside the mean loss.")
  }

  private static func decay(_ name: String, _ field: Field<Double>, _ what: String) -> Key {
    Key(
      "adam", name, .number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 }, field,
      "The share of the running mean of the \(what) that a step keeps.")
  }
}
