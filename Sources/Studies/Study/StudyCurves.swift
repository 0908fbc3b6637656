import Glibc

/// How well an entry does along an axis, seed by seed.
///
/// A seed's value between two evaluated iterates is that of the earlier one, and after its end that of its last: a
/// staircase, nothing interpolated.
package struct StudyCurve: Sendable {
  package struct Point: Sendable, Equatable {
    package let x: Double
    package let value: Double

    package init(x: Double, value: Double) {
      self.x = x
      self.value = value
    }
  }

  /// The seeds' range and median at one place.
  package struct Band: Sendable, Equatable {
    package let x: Double
    package let min: Double
    package let median: Double
    package let max: Double
  }

  /// One a seed, in ascending order of x.
  private let runs: [[Point]]
  /// Where the last seed ended; infinite for a model that is not trained by iterations, which stays as it is.
  package let end: Double

  package init(_ runs: [[Point]], isEndless: Bool = false) {
    precondition(runs.allSatisfy { !$0.isEmpty }, "a curve without a point")
    self.runs = runs
    end = isEndless ? .infinity : runs.map { $0[$0.count - 1].x }.max() ?? .nan
  }

  package init(_ entry: StudyEntry, _ axis: StudyAxis, _ measure: StudyMeasure) {
    self.init(
      entry.runs.map { $0.records.map { Point(x: axis.value($0), value: measure.value($0)) } },
      isEndless: !entry.isTrained)
  }

  /// From where on all seeds have a value.
  package var start: Double { runs.map { $0[0].x }.max() ?? .nan }

  /// Every seed's value at x; nil before all have one.
  package func values(at x: Double) -> [Double]? {
    guard x >= start else { return nil }
    return runs.map { points in
      var (low, high) = (0, points.count)
      while low < high {
        let middle = (low + high) / 2
        if points[middle].x <= x { low = middle + 1 } else { high = middle }
      }
      return points[max(low - 1, 0)].value
    }
  }

  /// The seeds' mean at x; nil before all have begun and after all have ended.
  package func mean(at x: Double) -> Double? {
    guard x <= end else { return nil }
    return values(at: x).map { SeedSummary($0).mean }
  }

  /// Range and median wherever a seed has an iterate, from where all have a value.
  ///
  /// - Parameter ratio: places that are nearer to the one before than this are left out, but not the last.
  package func bands(ratio: Double = 1) -> [Band] {
    let places = Set(runs.joined().map(\.x)).filter { $0 >= start }.sorted()
    var bands: [Band] = []
    for x in places {
      if let before = bands.last, x < before.x * ratio && x < end { continue }
      guard let values = values(at: x) else { continue }
      let summary = SeedSummary(values)
      bands.append(Band(x: x, min: summary.min, median: summary.median, max: summary.max))
    }
    return bands
  }
}

/// Round places on a logarithmic axis from `first` to `last`: 1, 2, 5, 10, …, or fewer digits where those would be
/// more than `count`.
package func logarithmicPlaces(from first: Double, to last: Double, atMost count: Int) -> [Double] {
  guard first > 0, last >= first, last.isFinite else { return [] }
  let exponents = Int(log10(first).rounded(.down))...Int(log10(last).rounded(.up))
  func places(_ digits: [Double]) -> [Double] {
    exponents.flatMap { e in digits.map { e < 0 ? $0 / pow(10, Double(-e)) : $0 * pow(10, Double(e)) } }
      .filter { $0 >= first && $0 <= last }
  }
  for digits in [[1.0, 2, 5], [1, 3]] {
    let found = places(digits)
    if found.count <= count { return found }
  }
  return Array(places([1]).suffix(count))
}
