import Files
import Foundation
import Runs
import TestSupport
import Testing

/// What ranks leave about themselves, and what is said of those that the others wait for.
@Suite struct WatchdogTests {
  private static let limit = 10.0

  private func state(_ work: RankState.Work, idle: Double = 9) -> RankState {
    RankState(work, phase: 4, iteration: 12, idle: idle, beat: 3)
  }

  private func text(_ stall: Stall, _ sightings: [Sighting?]?) -> [String] {
    let hosts = ["n1", "n1", "n2", "n2"]
    return stall.text(at: "phase update of iteration 12", idle: 12, hosts: hosts, sightings).split(
      separator: "\n"
    )
    .map(String.init)
  }

  /// Rank 2 is stopped: its line does not change.
  @Test func aSilentRankIsNamed() throws {
    let waiting = Sighting(state(.waiting), isAlive: true)
    let sightings: [Sighting?] = [waiting, waiting, Sighting(state(.waiting), isAlive: false), waiting]
    for rank in [0, 1, 3] {
      let stall = try #require(Stall(.waiting, rank: rank, sightings: sightings, limit: Self.limit))
      #expect(stall.silent == [2] && stall.blocked == [] && stall.computing == [] && !stall.isBusy)
      #expect(stall.speaker == 0)
    }
    let stall = try #require(Stall(.waiting, rank: 0, sightings: sightings, limit: Self.limit))
    #expect(
      text(stall, sightings) == [
        "no progress for 12.0 s in phase update of iteration 12: 1 of 4 ranks has not arrived",
        "  rank 2 on n2: nothing is heard of it; last in phase update of iteration 12: stopped, or its host is gone",
      ])
  }

  /// Of rank 0 nothing was ever heard: the first that waits long enough speaks.
  @Test func anotherSpeaksForRankZero() throws {
    let sightings: [Sighting?] = [
      nil, Sighting(state(.waiting, idle: 1), isAlive: true), Sighting(state(.waiting), isAlive: true),
      Sighting(state(.waiting), isAlive: true),
    ]
    let stall = try #require(Stall(.waiting, rank: 3, sightings: sightings, limit: Self.limit))
    #expect(stall.silent == [0] && stall.speaker == 2)
    #expect(text(stall, sightings)[1].contains("rank 0 on n1: nothing was ever heard of it"))
  }

  /// A rank that computes is named, and is progress; one that only computes itself says nothing.
  @Test func aBusyRankIsNoStall() throws {
    let sightings: [Sighting?] = [
      Sighting(state(.waiting), isAlive: true), Sighting(state(.computing, idle: 30), isAlive: true),
      Sighting(state(.waiting), isAlive: true), Sighting(state(.waiting), isAlive: true),
    ]
    let stall = try #require(Stall(.waiting, rank: 0, sightings: sightings, limit: Self.limit))
    #expect(stall.computing == [1] && stall.isBusy)
    #expect(
      text(stall, sightings)[1]
        == "  rank 1 on n1: still computing in phase update of iteration 12, for 30.0 s")
    #expect(Stall(.computing, rank: 1, sightings: sightings, limit: Self.limit) == nil)
    // But it tells of one that is stopped.
    var others = sightings
    others[3]?.isAlive = false
    #expect(Stall(.computing, rank: 1, sightings: others, limit: Self.limit)?.silent == [3])
  }

  @Test func aBlockedRankIsAStall() throws {
    let sightings: [Sighting?] = [
      Sighting(state(.blocked), isAlive: true), Sighting(state(.waiting), isAlive: true),
      Sighting(state(.waiting), isAlive: true), Sighting(state(.waiting), isAlive: true),
    ]
    let own = try #require(Stall(.blocked, rank: 0, sightings: sightings, limit: Self.limit))
    #expect(own.blocked == [0] && own.speaker == 0 && !own.isBusy)
    let others = try #require(Stall(.waiting, rank: 2, sightings: sightings, limit: Self.limit))
    #expect(others.blocked == [0] && others.speaker == 1)
    #expect(text(others, sightings)[1].contains("rank 0 on n1: blocked in phase update"))
  }

  @Test func whereNothingIsKnownThatIsSaid() throws {
    let blind = try #require(Stall(.waiting, rank: 1, sightings: nil, limit: Self.limit))
    #expect(blind.isBlind && blind.speaker == 0 && !blind.isBusy)
    #expect(text(blind, nil)[0].hasSuffix("is not known, since the run directory can't be read"))
    let all = [Sighting?](repeating: Sighting(state(.waiting), isAlive: true), count: 4)
    let none = try #require(Stall(.waiting, rank: 0, sightings: all, limit: Self.limit))
    #expect(
      text(none, all)[0].hasSuffix("all ranks have arrived, and none gets on: the network or MPI hangs"))
  }

  // MARK: The file

  @Test func aRanksLineIsReadBackByAll() throws {
    let directory = try TemporaryDirectory()
    let states = RankStates(in: directory.url.path, job: "ab12", ranks: 3)
    #expect(states.read() == nil)
    #expect(!states.write(state(.waiting), of: 1), "only rank 0 makes the file")
    for rank in 0..<3 {
      var own = state([.waiting, .computing, .blocked][rank], idle: 1.5 * Double(rank))
      own.beat = 100 + rank
      #expect(states.write(own, of: rank))
      #expect(states.read()?[rank] == own)
    }
    let other = RankStates(in: directory.url.path, job: "cd34", ranks: 3)
    #expect(other.read() == [nil, nil, nil], "another job's")
    let file = directory.path(RankStates.name)
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines.allSatisfy { $0.utf8.count == 95 })
    states.remove()
    #expect(states.read() == nil)
  }

  /// Whatever lies there: no line, and no trap.
  @Test func damagedLinesAreNone() throws {
    let directory = try TemporaryDirectory()
    let states = RankStates(in: directory.url.path, job: "ab12", ranks: 2)
    var random = SeededGenerator(seed: 4)
    #expect(states.write(state(.waiting), of: 0))
    let file = URL(filePath: directory.path(RankStates.name))
    let whole = try Data(contentsOf: file)
    for _ in 0..<200 {
      var damaged = whole
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      try damaged.prefix(Int.random(in: 0...96, using: &random)).write(to: file)
      #expect((states.read()?.count ?? 2) == 2)
    }
  }
}
