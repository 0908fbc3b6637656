import Reports
import Runs
import Studies
import TestSupport
import Testing

private let accuracy = StudyMeasure(.test, isAccuracy: true)
private let rmse = StudyMeasure(.test, isAccuracy: false)

/// An evaluated iterate with these shares of right decisions.
private func record(
  _ iteration: Int, seconds: Double, passes: Double? = nil, test: Double, train: Double? = nil,
  validation: Double? = nil
) -> IterationRecord {
  var record = IterationRecord(iteration: iteration, seconds: seconds)
  record.passes = passes
  record.test_accuracy = test
  record.train_accuracy = train
  record.validation_accuracy = validation
  return record
}

private func regression(_ iteration: Int, seconds: Double, test: Double, train: Double) -> IterationRecord {
  var record = IterationRecord(iteration: iteration, seconds: seconds)
  record.test_rmse = test
  record.train_rmse = train
  return record
}

@Suite struct StudyStatisticsTests {
  /// A mean has as many digits as tell two of its spread.
  @Test(arguments: [
    ([1.1624, 1.1674], "1.1649 ± 0.0035"), ([54.1, 58.3], "56.2 ± 3.0"),
    ([2, 2.0000001], "2.000000050 ± 0.000000071"),
    ([1234, 1298], "1266 ± 45"), ([3.25], "3.2500"), ([5, 5], "5.0000 ± 0.0000"), ([.nan, 1], "nan ± nan"),
  ])
  func errorsHaveTheDigitsOfTheirSpread(_ values: [Double], _ text: String) {
    #expect(StudyMeasure(.test, isAccuracy: false).text(SeedSummary(values)) == text)
  }

  @Test func meanSpreadAndMedian() throws {
    let three = SeedSummary([0.75, 0.25, 0.5])
    #expect(three.count == 3 && three.mean == 0.5 && three.median == 0.5)
    #expect(three.min == 0.25 && three.max == 0.75)
    // Squares 1/16, 1/16 and 0, over 3 − 1.
    #expect(three.deviation == 0.25)
    #expect(SeedSummary([1, 2, 5, 10]).median == 3.5)
    #expect(three.text { fixed($0, 2) } == "0.50 ± 0.25")
  }

  @Test func oneSeedHasNoSpread() {
    let one = SeedSummary([3.5])
    #expect(one.deviation == nil && one.mean == 3.5 && one.median == 3.5 && one.min == 3.5 && one.max == 3.5)
    #expect(one.text { fixed($0, 1) } == "3.5")
  }

  @Test func aSeedWithoutANumberIsNotDropped() {
    let broken = SeedSummary([1, .nan])
    #expect(broken.mean.isNaN && broken.median.isNaN && broken.min.isNaN && broken.max.isNaN)
    #expect(broken.text { fixed($0, 2) } == "nan ± nan")
  }

  @Test(arguments: [(0.0, "0"), (0.012345, "0.0123"), (1.25, "1.25"), (999.4, "999"), (12_345.6, "12,346")])
  func briefNumbers(x: Double, text: String) {
    #expect(brief(x) == text)
  }

  @Test func roundNumbersAreRoundToTheLastDigit() {
    #expect(roundNumbers(in: 63.8...71.3, atMost: 6) == [64, 66, 68, 70])
    #expect(roundNumbers(in: 0.28...0.71, atMost: 6) == [0.3, 0.4, 0.5, 0.6, 0.7])
    #expect(roundNumbers(in: 96.5...98.5, atMost: 6) == [96.5, 97, 97.5, 98, 98.5])
    #expect(roundNumbers(in: 3_100...9_800, atMost: 6) == [4_000, 5_000, 6_000, 7_000, 8_000, 9_000])
    #expect(roundNumbers(in: 3_100...10_100, atMost: 6) == [4_000, 6_000, 8_000, 10_000])
    #expect(roundNumbers(in: 5...5, atMost: 6).isEmpty)
  }

  @Test func automaticThresholdsGoFromTheWorstToTheBest() {
    #expect(automaticThresholds([64.2, 71.3, 63.8], accuracy) == [64, 66, 68, 70])
    // All alike: the last two points.
    #expect(automaticThresholds([98.4, 98.5], accuracy) == [96.5, 97, 97.5, 98, 98.5])
    // The least error is the hardest, and twice the best is no goal.
    #expect(automaticThresholds([10, 12.5, 4_000], rmse) == [20, 18, 16, 14, 12, 10])
    #expect(automaticThresholds([.nan, .infinity], rmse).isEmpty)
  }
}

@Suite struct StudyTests {
  @Test func theThresholdIsReachedByTheFirstIterateAtOrAboveIt() throws {
    let run = StudyRun(
      seed: 1, status: .max_iterations,
      records: [
        record(1, seconds: 1, test: 0.5), record(2, seconds: 2, passes: 1.5, test: 0.7),
        record(3, seconds: 3, test: 0.65), record(4, seconds: 4, test: 0.72),
      ])
    #expect(run.first(reaching: 50, accuracy)?.iteration == 1)
    // Nothing between iterations 1 and 2 counts as 60 %.
    #expect(run.first(reaching: 60, accuracy)?.iteration == 2)
    #expect(run.first(reaching: 70, accuracy)?.iteration == 2, "a share that equals the threshold reaches it")
    #expect(run.first(reaching: 71, accuracy)?.iteration == 4)
    #expect(run.first(reaching: 73, accuracy) == nil)
  }

  @Test func anEqualShareReachesItsPercentage() {
    for right in 1...999 {
      #expect(accuracy.reaches(100 * (Double(right) / 1_000), Double(right) / 10), "\(right) of 1000")
      #expect(!accuracy.reaches(100 * (Double(right) / 1_000), Double(right + 1) / 10), "\(right) of 1000")
    }
  }

  @Test func timesAreThoseOfTheSeedsThatGotThere() throws {
    func run(_ seed: UInt64, _ records: [IterationRecord]) -> StudyRun {
      StudyRun(seed: seed, status: .max_iterations, records: records)
    }
    let entry = StudyEntry(
      name: "a", method: "taylor",
      runs: [
        run(1, [record(1, seconds: 1, test: 0.5), record(2, seconds: 2, passes: 0.5, test: 0.7)]),
        run(2, [record(1, seconds: 3, test: 0.5), record(2, seconds: 6, passes: 2.5, test: 0.71)]),
        run(3, [record(1, seconds: 1, test: 0.5), record(2, seconds: 2, test: 0.6)]),
      ])
    let reach = entry.reach(70, accuracy)
    #expect(reach.reached == 2 && reach.of == 3)
    #expect(reach.seconds == SeedSummary([2, 6]) && reach.passes == SeedSummary([0.5, 2.5]))
    #expect(reach.text(.seconds) == "4.00 (2 of 3)" && reach.text(.passes) == "1.50 (2 of 3)")
    #expect(entry.reach(50, accuracy).text(.seconds) == "1.67")
    // Where `passes` is not set, it is the iteration.
    #expect(entry.reach(50, accuracy).text(.passes) == "1.00")
    let never = entry.reach(80, accuracy)
    #expect(never.reached == 0 && never.seconds == nil && never.text(.seconds) == "–")
  }

  @Test func theBestIterateIsChosenWithoutTheTestSet() {
    let byTraining = StudyRun(
      seed: 1, status: .max_iterations,
      records: [
        record(1, seconds: 1, test: 0.9, train: 0.5), record(2, seconds: 2, test: 0.7, train: 0.8),
        record(3, seconds: 3, test: 0.6, train: 0.8), record(4, seconds: 4, test: 0.5, train: 0.7),
      ])
    #expect(byTraining.best.iteration == 2 && byTraining.last.iteration == 4)
    #expect(byTraining.peak(accuracy) == 90)
    let byValidation = StudyRun(
      seed: 1, status: .max_iterations,
      records: [
        record(1, seconds: 1, test: 0.9, train: 0.9, validation: 0.5),
        record(2, seconds: 2, test: 0.7, train: 0.8, validation: 0.6),
      ])
    #expect(byValidation.best.iteration == 2)
  }

  @Test func ofErrorsTheLessIsTheBetter() {
    let entry = StudyEntry(
      name: "a", method: "taylor",
      runs: [
        StudyRun(
          seed: 1, status: .max_iterations,
          records: [
            regression(1, seconds: 1, test: 3, train: 2), regression(2, seconds: 2, test: 1.5, train: 1),
            regression(3, seconds: 3, test: 1, train: 1.5),
          ])
      ])
    #expect(entry.best(rmse).mean == 1.5 && entry.last(rmse).mean == 1 && entry.peak(rmse).mean == 1)
    #expect(entry.reach(2, rmse).seconds?.mean == 2 && entry.reach(3, rmse).seconds?.mean == 1)
    let study = Study(rmse, thresholds: [1, 3, 2], entries: [entry])
    #expect(study.thresholds == [3, 2, 1], "the easiest first")
  }

  @Test func divergedSeedsAreCountedAndStay() throws {
    let entry = StudyEntry(
      name: "a", method: "taylor",
      runs: [
        StudyRun(seed: 1, status: .max_iterations, records: [record(1, seconds: 1, test: 0.75)], auc: 0.5),
        StudyRun(seed: 2, status: .diverged, records: [record(0, seconds: 0, test: 0.25)]),
      ])
    #expect(entry.diverged == 1 && entry.best(accuracy).mean == 50)
    #expect(entry.auc == nil, "a mean over fewer seeds would be another quantity")
    let lines = Study(accuracy, thresholds: [70], entries: [entry]).lines
    #expect(try #require(lines.first { $0.hasPrefix("a ") }).hasSuffix("2, 1 diverged"))
    #expect(lines.contains { $0.hasPrefix("a ") && $0.hasSuffix("1.00 (1 of 2)") })
  }

  @Test func aLineOfTheSeriesHasTheKeysThatApply() {
    var one = record(3, seconds: 0.5, test: 0.75, train: 0.5)
    one.objective = .infinity
    #expect(
      one.seriesLine(name: "a \"b\"", method: "taylor", seed: 7)
        == #"{"name": "a \"b\"", "method": "taylor", "seed": 7, "iteration": 3, "passes": 3.0, "seconds": 0.5, "#
        + #""objective": null, "train_accuracy": 0.5, "test_accuracy": 0.75}"#)
    #expect(one.seriesLine(name: "a", method: "linear", seed: nil).contains(#""seed": null"#))
  }
}

@Suite struct StudyCurveTests {
  private typealias Point = StudyCurve.Point

  private let curve = StudyCurve([
    [Point(x: 1, value: 10), Point(x: 2, value: 20)],
    [Point(x: 1.5, value: 30), Point(x: 4, value: 50)],
  ])

  @Test func aSeedKeepsItsValueUntilItsNextIterate() {
    #expect(curve.start == 1.5 && curve.end == 4)
    #expect(curve.values(at: 1.4) == nil, "the second seed has no value yet")
    #expect(curve.values(at: 1.5) == [10, 30])
    #expect(curve.values(at: 2) == [20, 30])
    #expect(curve.values(at: 3.99) == [20, 30])
    #expect(curve.values(at: 4) == [20, 50])
    #expect(curve.mean(at: 1.5) == 20 && curve.mean(at: 4.01) == nil)
  }

  @Test func bandsAreWhereASeedHasAnIterate() {
    let bands = curve.bands()
    #expect(bands.map(\.x) == [1.5, 2, 4])
    #expect(bands.map(\.min) == [10, 20, 20] && bands.map(\.median) == [20, 25, 35])
    #expect(bands.map(\.max) == [30, 30, 50])
    // Near places are left out, but not the end.
    #expect(curve.bands(ratio: 10).map(\.x) == [1.5, 4])
  }

  @Test func placesOnALogarithmicAxis() {
    #expect(logarithmicPlaces(from: 0.15, to: 12, atMost: 10) == [0.2, 0.5, 1, 2, 5, 10])
    #expect(logarithmicPlaces(from: 1, to: 1, atMost: 10) == [1])
    #expect(logarithmicPlaces(from: 1, to: 1e4, atMost: 9) == [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000])
    #expect(logarithmicPlaces(from: 1e-9, to: 1e9, atMost: 5) == [1e5, 1e6, 1e7, 1e8, 1e9])
    #expect(logarithmicPlaces(from: 0, to: 5, atMost: 10).isEmpty)
  }
}

@Suite struct StudyPlotTests {
  private func entry(_ name: String, seed: UInt64?, _ values: [(Double, Double)]) -> StudyEntry {
    let records = values.enumerated().map { record($0 + 1, seconds: $1.0, test: $1.1) }
    return StudyEntry(
      name: name, method: "taylor", runs: [StudyRun(seed: seed, status: nil, records: records)])
  }

  @Test func stepsHaveBothTheirEnds() throws {
    let study = Study(
      accuracy, thresholds: [],
      entries: [entry("a", seed: 1, [(1, 0.5), (2, 0.75)]), entry("b", seed: 1, [(3, 1)])])
    let plot = try #require(StudyPlot(study, .seconds))
    #expect(
      plot.data.split(separator: "\n", omittingEmptySubsequences: false) == [
        "# a", "# seconds\tmin\tmedian\tmax", "1.0\t50.0\t50.0\t50.0", "2.0\t50.0\t50.0\t50.0",
        "2.0\t75.0\t75.0\t75.0", "", "", "# b", "# seconds\tmin\tmedian\tmax", "3.0\t100.0\t100.0\t100.0", "",
      ])
    #expect(
      plot.script.contains("figure = 'seconds.svg'\nset output figure")
        && plot.script.contains("set logscale x"))
    #expect(plot.script.contains("'seconds.dat' index 1") && plot.script.contains("title 'b'"))
    #expect(plot.script.contains("set xrange [1.0:3.0]"))
  }

  @Test func whatIsNotTrainedIsALevelLine() throws {
    let study = Study(
      accuracy, thresholds: [],
      entries: [entry("a", seed: 1, [(1, 0.5)]), entry("linear model", seed: nil, [(1, 0.625)])])
    let script = try #require(StudyPlot(study, .passes)).script
    #expect(script.contains("62.5 with lines") && script.contains("title 'linear model'"))
    #expect(!script.contains("index 1"))
    #expect(StudyPlot(Study(accuracy, thresholds: [], entries: [study.entries[1]]), .passes) == nil)
  }

  @Test func namesAreQuotedForGnuplot() {
    #expect(quote("it's") == "'it''s'")
    #expect(quote("two\nlines") == "'two lines'")
  }
}
