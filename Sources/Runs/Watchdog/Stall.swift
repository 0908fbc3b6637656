import Basics
import Reports

/// What a rank has seen of another since it began to look.
package struct Sighting: Sendable {
  package var state: RankState
  /// Whether the other has written since.
  package var isAlive: Bool

  package init(_ state: RankState, isAlive: Bool) {
    self.state = state
    self.isAlive = isAlive
  }
}

/// Why a job makes no progress, as one rank sees it.
package struct Stall: Sendable, Equatable {
  /// Ranks that no word has come from: they are stopped, their host is gone, or it does not see the run directory.
  package private(set) var silent: [Int] = []
  /// Ranks that neither compute nor wait for others.
  package private(set) var blocked: [Int] = []
  /// Ranks that compute: the others wait for them.
  package private(set) var computing: [Int] = []
  /// Whether nothing is known of the others: the run directory can't be read.
  package private(set) var isBlind = false
  /// Which rank speaks for all.
  package private(set) var speaker: Int
  /// Whose view this is.
  private let rank: Int

  /// - Parameters:
  ///   - own: what this rank does.
  ///   - rank: its number.
  ///   - sightings: one a rank, this one included; nil where the run directory can't be read.
  ///   - limit: the seconds without progress that are a stall.
  /// - Returns: nil where this rank only computes for long.
  package init?(_ own: RankState.Work, rank: Int, sightings: [Sighting?]?, limit: Double) {
    self.rank = rank
    speaker = own == .blocked ? rank : 0
    if own == .blocked { blocked = [rank] }
    if let sightings {
      let others = sightings.enumerated().filter { $0.offset != rank }
      for (other, sighting) in others {
        switch sighting {
        case .some(let known) where known.isAlive:
          if known.state.work == .computing { computing.append(other) }
          if known.state.work == .blocked { blocked.append(other) }
        default: silent.append(other)
        }
      }
      blocked.sort()
      let waiting = others.filter { _, known in
        known.map { $0.isAlive && $0.state.work == .waiting && $0.state.idle >= limit / 2 } ?? false
      }
      speaker = ([rank] + waiting.map(\.offset)).min() ?? rank
    } else {
      isBlind = true
    }
    if own == .computing && silent.isEmpty && blocked.isEmpty { return nil }
  }

  /// Whether there is progress after all: of ranks that compute, for which the others wait.
  package var isBusy: Bool { !isBlind && silent.isEmpty && blocked.isEmpty && !computing.isEmpty }

  /// What is said of it, a line for each rank that the others wait for.
  ///
  /// - Parameters:
  ///   - place: where this rank waits.
  ///   - idle: for how many seconds.
  ///   - hosts: the host of each rank.
  ///   - sightings: as above.
  package func text(at place: String, idle: Double, hosts: [String], _ sightings: [Sighting?]?) -> String {
    let missing = (silent + blocked + computing).sorted()
    let who =
      if !missing.isEmpty {
        "\(missing.count) of \(counted(hosts.count, "rank")) "
          + (missing.count == 1 ? "has not arrived" : "have not arrived")
      } else if isBlind {
        "which rank has not arrived is not known, since the run directory can't be read"
      } else {
        "all ranks have arrived, and none gets on: the network or MPI hangs"
      }
    let first = "no progress for \(duration(idle)) in \(place): \(who)"
    return
      ([first] + missing.prefix(Self.mostLines).map { line($0, place, idle, hosts, sightings) }
      + (missing.count > Self.mostLines ? ["  and \(missing.count - Self.mostLines) more"] : []))
      .joined(separator: "\n")
  }

  /// How many ranks are named.
  private static let mostLines = 20

  private func line(
    _ missing: Int, _ ownPlace: String, _ idle: Double, _ hosts: [String], _ sightings: [Sighting?]?
  ) -> String {
    let known = sightings.flatMap { $0[missing] }?.state
    let place = missing == rank ? ownPlace : known?.place ?? "an unknown phase"
    let what =
      if silent.contains(missing) {
        known.map { "nothing is heard of it; last in \($0.place): stopped, or its host is gone" }
          ?? "nothing was ever heard of it: its host does not see the run directory, or is gone"
      } else if blocked.contains(missing) {
        "blocked in \(place), by a disk or by who reads its output"
      } else {
        "still computing in \(place), for \(duration(known?.idle ?? idle))"
      }
    return "  rank \(missing) on \(hosts[missing]): \(what)"
  }
}
