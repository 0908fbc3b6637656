import Basics
import Glibc
import Reports
import Runs

/// One number for each of some seeds, in short.
package struct SeedSummary: Sendable, Equatable {
  package let count: Int
  package let mean: Double
  /// The sample standard deviation, divisor count − 1; nil for a single seed.
  package let deviation: Double?
  package let min: Double
  package let median: Double
  package let max: Double

  /// NaN among the values makes all of it NaN: a seed whose numbers went wrong is not dropped.
  ///
  /// - Precondition: at least one value.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty, "no seed has a value")
    count = values.count
    let n = Double(values.count)
    let hasNaN = values.contains { $0.isNaN }
    let mean = hasNaN ? .nan : values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    deviation = values.count > 1 ? (squares / (n - 1)).squareRoot() : nil
    let sorted = values.sorted()
    min = hasNaN ? .nan : sorted[0]
    median = hasNaN ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    max = hasNaN ? .nan : sorted[sorted.count - 1]
  }

  /// The best seed's.
  package func best(_ measure: StudyMeasure) -> Double { measure.isBetter(max, than: min) ? max : min }

  /// "64.21 ± 0.13", or the mean alone of one seed.
  package func text(_ number: (Double) -> String) -> String {
    number(mean) + (deviation.map { " ± " + number($0) } ?? "")
  }

  /// The same of numbers of any size: as many digits after the point as tell two of the deviation, "1.1649 ± 0.0025",
  /// "54.3 ± 2.1". Five digits that count where there is no deviation.
  package var significantText: String {
    guard let deviation, deviation > 0, deviation.isFinite, mean.isFinite else {
      return text { significant($0, 5) }
    }
    let digits = Swift.max(1 - Int(log10(deviation).rounded(.down)), 0)
    guard digits <= 12, abs(mean) < 1e9 else { return text { significant($0, 5) } }
    return text { fixed($0, digits) }
  }

  package var json: JSON {
    .object([
      "mean": .number(mean), "deviation": deviation.map { .number($0) }, "min": .number(min),
      "median": .number(median), "max": .number(max),
    ])
  }
}

/// When the seeds of an entry reached a threshold: by the first evaluated iterate at or beyond it.
package struct Reach: Sendable, Equatable {
  package let threshold: Double
  /// How many seeds reached it.
  package let reached: Int
  /// How many seeds there are.
  package let of: Int
  /// Over the seeds that reached it; nil if none did.
  package let seconds: SeedSummary?
  package let passes: SeedSummary?

  /// - Parameter firsts: the first such iterate of each seed that has one.
  package init(threshold: Double, _ firsts: [IterationRecord], of count: Int) {
    self.threshold = threshold
    reached = firsts.count
    of = count
    seconds = firsts.isEmpty ? nil : SeedSummary(firsts.map(StudyAxis.seconds.value))
    passes = firsts.isEmpty ? nil : SeedSummary(firsts.map(StudyAxis.passes.value))
  }

  package subscript(axis: StudyAxis) -> SeedSummary? {
    switch axis {
    case .seconds: seconds
    case .passes: passes
    }
  }

  /// The mean over the seeds that reached it, and how many did if not all: "1.25 (2 of 3)".
  package func text(_ axis: StudyAxis) -> String {
    guard let summary = self[axis] else { return "–" }
    return brief(summary.mean) + (reached < of ? " (\(reached) of \(of))" : "")
  }
}

/// A positive number with three digits that count: 0.0123, 1.25, 12,345.
package func brief(_ x: Double) -> String {
  guard x.isFinite else { return fixed(x, 0) }
  if abs(x) >= 999.5 && abs(x) < 1e15 { return grouped(Int(x.rounded())) }
  return x == 0 ? "0" : significant(x, 3)
}

/// Round thresholds from what the worst entry reaches to what the best does: at most six, the easiest first.
///
/// - Parameters:
///   - reached: the best value that each entry reached.
package func automaticThresholds(_ reached: [Double], _ measure: StudyMeasure) -> [Double] {
  let values = reached.filter { $0.isFinite }
  guard let least = values.min(), let most = values.max() else { return [] }
  // Where all are alike, two percentage points or a tenth of the error show how they came there. An error that is
  // twice the best is no goal.
  let range =
    measure.isAccuracy
    ? min(least, most - 2)...most : least...min(max(most, 1.1 * least), 2 * least)
  let ascending = roundNumbers(in: range, atMost: 6)
  return measure.isAccuracy ? ascending : ascending.reversed()
}

/// The multiples in a range of the smallest step 1, 2 or 5 · 10^k that has not more of them than `count`, ascending.
package func roundNumbers(in range: ClosedRange<Double>, atMost count: Int) -> [Double] {
  let width = range.upperBound - range.lowerBound
  guard width > 0, width.isFinite else { return [] }
  let first = Int(log10(width).rounded(.down)) - 2
  for exponent in first... {
    for digit in [1.0, 2, 5] {
      // k · digit · 10^exponent, rounded once.
      let scale = pow(10, Double(abs(exponent)))
      func multiple(_ k: Double) -> Double { exponent < 0 ? k * digit / scale : k * digit * scale }
      func quotient(_ x: Double) -> Double { exponent < 0 ? x * scale / digit : x / scale / digit }
      let low = (quotient(range.lowerBound) - 1e-9).rounded(.up)
      let high = (quotient(range.upperBound) + 1e-9).rounded(.down)
      if high - low < Double(count) {
        return high < low ? [] : stride(from: low, through: high, by: 1).map(multiple)
      }
    }
  }
  return []
}
