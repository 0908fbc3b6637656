import Basics

/// How often something may be saved that is not asked for: as often as takes a hundredth of the time, and at first.
package struct SavingBudget {
  private static let share = 0.01

  private let clock: () -> Double
  private let start: Double
  private var spent = 0.0

  package init(clock: @escaping () -> Double = monotonicSeconds) {
    self.clock = clock
    start = clock()
  }

  /// Whether there is time for it now.
  package var isDue: Bool { spent <= Self.share * (clock() - start) }

  /// Counts the time that `body` takes.
  package mutating func spend(_ body: () throws -> Void) rethrows {
    let begin = clock()
    defer { spent += clock() - begin }
    try body()
  }
}
