/// How careful a method is: once more after each divergence that it came back from.
package struct Caution: Sendable, Equatable {
  /// How many divergences that were. Undisturbed runs have 0, with which nothing changes by a bit.
  package var level = 0

  package init() {}

  /// What stands in for no ridge, before it is raised.
  private static let leastRidge = 1e-4

  /// Ten times the ridge for each divergence.
  package func ridge(_ ridge: Double) -> Double {
    (0..<level).reduce(level > 0 ? max(ridge, Self.leastRidge) : ridge) { ridge, _ in 10 * ridge }
  }

  /// Half the rate, or half of any step, for each divergence.
  package func rate(_ rate: Double) -> Double { (0..<level).reduce(rate) { rate, _ in rate / 2 } }

  /// What the log says of a raised ridge.
  package func ridgeEvent(_ own: Double) -> String { "begun again with the ridge \(Float(ridge(own)))" }
}
