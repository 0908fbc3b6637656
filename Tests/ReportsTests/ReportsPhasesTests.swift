import Foundation
import MPI
import Reports
import TestSupport
import Testing

/// A clock that stands still unless it is told.
private final class Clock {
  var time = 100.0
}

@Suite(.serialized) struct ReportsPhasesTests {
  @Test func everyMomentBelongsToOnePhase() throws {
    let clock = Clock()
    let phases = Phases { clock.time }
    clock.time += 1  // other
    let value = phases.measure(.load) {
      clock.time += 2
      phases.measure(.save) { clock.time += 4 }
      clock.time += 8
      return 5
    }
    #expect(value == 5)
    let outer = phases.begin(.evaluate)
    clock.time += 16
    phases.begin(outer)
    clock.time += 32
    #expect(phases[.load] == 10)
    #expect(phases[.save] == 4)
    #expect(phases[.evaluate] == 16)
    #expect(phases[.other] == 33)
    #expect(phases.total == 63)
  }

  @Test func aPhaseThatThrowsEnds() {
    struct Stop: Error {}
    let clock = Clock()
    let phases = Phases { clock.time }
    #expect(throws: Stop.self) {
      try phases.measure(.load) {
        clock.time += 1
        throw Stop()
      }
    }
    clock.time += 2
    #expect(phases[.load] == 1 && phases[.other] == 2)
  }

  @Test func timeMovesBetweenPhases() {
    let clock = Clock()
    let phases = Phases { clock.time }
    phases.measure(.update) { clock.time += 10 }
    phases.move(3, from: .update, to: .reduce)
    #expect(phases[.update] == 7 && phases[.reduce] == 3 && phases.total == 10)
  }

  @Test func theRealClockGoesForward() {
    let phases = Phases()
    phases.measure(.load) {}
    #expect(phases[.load] >= 0)
    #expect(phases.total >= phases[.load])
  }

  /// Rank r spends 10 (r + 1) s on loading and 1 s on saving.
  @Test func theReportComparesAllRanks() throws {
    try TestWorld.with { ranks in
      let clock = Clock()
      let phases = Phases { clock.time }
      phases.measure(.load) { clock.time += 10 * Double(ranks.rank + 1) }
      phases.measure(.save) { clock.time += 1 }
      let report = try phases.report(over: ranks)
      let size = Double(ranks.size)
      #expect(report[.load] == Spread((1...ranks.size).map { 10 * Double($0) }))
      #expect(report[.load].min == 10 && report[.load].max == 10 * size)
      #expect(report[.load].mean == 5 * (size + 1))
      #expect(report[.load].maxRank == ranks.size - 1)
      #expect(report[.save] == Spread([Double](repeating: 1, count: ranks.size)))
      #expect(report[.save].maxRank == 0)
      #expect(report.total.max == 10 * size + 1)
      let spread = try Spread(Double(ranks.rank), over: ranks)
      #expect(spread == Spread((0..<ranks.size).map(Double.init)))
    }
  }

  @Test func theMiddleOfAllRanks() {
    #expect(Spread([3, 1, 2]).median == 2 && Spread([4, 1, 2, 9]).median == 3 && Spread([5]).median == 5)
    #expect(Spread([3, 1, 1]).minRank == 1 && Spread([3, 1, 3]).maxRank == 0)
  }

  private let report = PhaseReport(
    phases: Phase.allCases.map { phase in
      switch phase {
      case .update: Spread([6, 9])
      case .reduce: Spread([4, 1])
      default: Spread([0, 0])
      }
    }, total: Spread([10, 10]))

  @Test func theTableNamesTheSlowestRankAndItsHost() {
    #expect(
      report.lines(hosts: ["n1", "n2"]) == [
        "phase    min s  mean s   max s    share  slowest",
        "update   6.000   7.500   9.000   75.0 %  rank 1 on n2",
        "reduce   1.000   2.500   4.000   25.0 %  rank 0 on n1",
        "total   10.000  10.000  10.000  100.0 %  rank 0 on n1",
      ])
  }

  @Test func oneRankIsComparedWithNobody() {
    let alone = PhaseReport(phases: Phase.allCases.map { Spread([$0 == .load ? 1 : 0]) }, total: Spread([1]))
    #expect(
      alone.lines(hosts: ["n1"]) == [
        "phase      s    share", "load   1.000  100.0 %", "total  1.000  100.0 %",
      ])
  }

  @Test func runJSONHasAllPhases() throws {
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(report.json.compact.utf8)) as? [String: [String: Double]])
    #expect(Set(object.keys) == Set(Phase.allCases.map(\.name)))
    #expect(object["update"] == ["min": 6, "mean": 7.5, "max": 9, "max_rank": 1])
  }

  @Test func memoryOfAllRanks() throws {
    try TestWorld.with { ranks in
      let memory = try PeakMemory(over: ranks)
      // A process of this size has between a MiB and a TiB.
      #expect(memory.max > 1 << 20 && memory.max < 1 << 40)
      #expect(memory.sum >= memory.max && memory.sum <= ranks.size * memory.max)
      #expect(ranks.size == 1 || memory.sum > memory.max)
    }
  }
}
