import Basics
import Glibc
import MPI

/// What a run spends its time on.
public enum Phase: Int, CaseIterable, Sendable {
  /// Reading and preparing the data.
  case load
  /// Fitting and evaluating what the results are held against.
  case baseline
  /// Making the start values.
  case start
  /// Solving for the weights, the same work on every rank.
  case solve
  /// Updating a rank's own variables.
  case update
  /// Adding up its sums.
  case sum
  /// In reductions, waiting for slower ranks included.
  case reduce
  /// Objective, accuracy and the like.
  case evaluate
  /// Writing files.
  case save
  /// All else.
  case other

  /// As in the table and in run.json.
  public var name: String { "\(self)" }
}

extension Progress.State {
  /// "phase update of iteration 12"; "no phase" before the first.
  public var place: String {
    guard let phase = Phase(rawValue: phase) else { return "no phase" }
    return "phase \(phase.name)" + (iteration > 0 ? " of iteration \(grouped(iteration))" : "")
  }
}

/// Wall-clock time by phase on one rank.
///
/// Every moment since the clock was made belongs to exactly one phase, so that the phases add up to the whole. A
/// phase may begin inside another, whose time then stands still. Two clock readings of some 20 ns a phase.
public final class Phases {
  private let clock: () -> Double
  private var seconds = [Double](repeating: 0, count: Phase.allCases.count)
  private var current = Phase.other
  private var since: Double

  public convenience init() { self.init(clock: monotonicSeconds) }

  /// - Parameter clock: the seconds since some moment.
  package init(clock: @escaping () -> Double) {
    self.clock = clock
    since = clock()
  }

  /// Does `body`; the time it takes is `phase`'s. Local.
  public func measure<T: ~Copyable, E: Error>(_ phase: Phase, _ body: () throws(E) -> T) throws(E) -> T {
    let outer = begin(phase)
    do {
      let result = try body()
      begin(outer)
      return result
    } catch {
      // Whoever reports the error asks `Progress` where it was.
      take(outer)
      throw error
    }
  }

  /// From now on time is `phase`'s. Returns the phase that it was before. Local.
  @discardableResult
  public func begin(_ phase: Phase) -> Phase {
    Progress.begin(phase: phase.rawValue)
    return take(phase)
  }

  @discardableResult
  private func take(_ phase: Phase) -> Phase {
    let now = clock()
    seconds[current.rawValue] += now - since
    since = now
    defer { current = phase }
    return current
  }

  /// Counts `seconds` of the time of `phase` as time of `other`, for work that keeps its own clock. Local.
  public func move(_ seconds: Double, from phase: Phase, to other: Phase) {
    self.seconds[phase.rawValue] -= seconds
    self.seconds[other.rawValue] += seconds
  }

  /// Counts time that an earlier part of the run has spent. Local.
  public func add(_ seconds: Double, to phase: Phase) { self.seconds[phase.rawValue] += seconds }

  /// The seconds of a phase up to now on this rank.
  public subscript(phase: Phase) -> Double {
    seconds[phase.rawValue] + (phase == current ? clock() - since : 0)
  }

  /// The seconds since the clock was made.
  public var total: Double { seconds.reduce(clock() - since, +) }

  /// Minimum, mean and maximum over all ranks. Collective; one message of 72 bytes a rank.
  public func report(over ranks: borrowing Communicator) throws(MPIError) -> PhaseReport {
    let all = try ranks.gather(Phase.allCases.map { self[$0] } + [total])
    return PhaseReport(
      phases: Phase.allCases.map { phase in Spread(all.map { $0[phase.rawValue] }) },
      total: Spread(all.map { $0[Phase.allCases.count] }))
  }
}

/// One quantity on all ranks: the smallest, the mean, the median, the largest, and who has them.
public struct Spread: Sendable, Equatable {
  public let min: Double
  public let mean: Double
  public let median: Double
  public let max: Double
  /// The lowest rank that has `min`.
  public let minRank: Int
  /// The lowest rank that has `max`.
  public let maxRank: Int

  /// The values in the order of the ranks, at least one.
  public init(_ values: [Double]) {
    precondition(!values.isEmpty, "no rank has a value")
    var (least, largest, sum) = (0, 0, 0.0)
    for (rank, value) in values.enumerated() {
      if value < values[least] { least = rank }
      if value > values[largest] { largest = rank }
      sum += value
    }
    min = values[least]
    mean = sum / Double(values.count)
    let sorted = values.sorted()
    median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    max = values[largest]
    minRank = least
    maxRank = largest
  }

  /// This rank's `value` with all others'. Collective.
  public init(_ value: Double, over ranks: borrowing Communicator) throws(MPIError) {
    self.init(try ranks.gather([value]).map { $0[0] })
  }

  public var json: JSON {
    .object(["min": .number(min), "mean": .number(mean), "max": .number(max), "max_rank": .integer(maxRank)])
  }
}

/// The phases of all ranks, for the table and for run.json.
public struct PhaseReport: Sendable {
  /// One a phase, in the order of `Phase.allCases`.
  public let phases: [Spread]
  public let total: Spread

  public init(phases: [Spread], total: Spread) {
    precondition(phases.count == Phase.allCases.count, "\(phases.count) phases")
    self.phases = phases
    self.total = total
  }

  public subscript(phase: Phase) -> Spread { phases[phase.rawValue] }

  /// Seconds in updates and sums, the mean over ranks.
  public var local: Double { self[.update].mean + self[.sum].mean }

  /// Seconds in iterations, the mean over ranks.
  public var iterating: Double { self[.solve].mean + local + self[.reduce].mean }

  /// The table. Phases that took no time are left out, and with one rank all columns that compare ranks.
  ///
  /// - Parameter hosts: the name of each rank's host.
  public func lines(hosts: [String]) -> [String] {
    let isParallel = hosts.count > 1
    var table = TextTable(
      isParallel ? ["phase", "min s", "mean s", "max s", "share", "slowest"] : ["phase", "s", "share"],
      isParallel ? [.left, .right, .right, .right, .right, .left] : [.left, .right, .right])
    let named = Phase.allCases.filter { self[$0].max >= 0.0005 }.map { ($0.name, self[$0]) }
    for (name, spread) in named + [("total", total)] {
      let share = percent(total.mean > 0 ? spread.mean / total.mean : 0, 1) + " %"
      table.add(
        isParallel
          ? [
            name, fixed(spread.min, 3), fixed(spread.mean, 3), fixed(spread.max, 3), share,
            "rank \(spread.maxRank) on \(hosts[spread.maxRank])",
          ] : [name, fixed(spread.mean, 3), share])
    }
    return table.lines
  }

  public var json: JSON {
    .object(Phase.allCases.map { JSON.Member($0.name, self[$0].json) })
  }
}
