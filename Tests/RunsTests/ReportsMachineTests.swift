import MPI
import Runs
import TestSupport
import Testing

private func machine(_ hosts: [(String, Int)], cores: Int = 64, threads: Int = 1, boundCores: Int = 64)
  -> Machine
{
  Machine(
    hosts: hosts.map { Machine.Host(name: $0.0, ranks: $0.1, cores: cores) },
    hostOfRank: hosts.flatMap { [String](repeating: $0.0, count: $0.1) }, threads: threads,
    boundCores: boundCores)
}

@Suite(.serialized) struct ReportsMachineTests {
  @Test(arguments: [
    ([("login", 1)], "login × 1"),
    ([("n001", 4), ("n002", 4), ("n003", 4), ("n007", 4)], "n[001-003,007] × 4"),
    ([("n1", 4), ("n2", 2)], "n1 × 4, n2 × 2"),
    ([("n9", 4), ("n10", 4)], "n9 × 4, n10 × 4"),
    ([("a1.site2", 1), ("a2.site2", 1), ("b1.site2", 1)], "a[1-2].site2 × 1, b1.site2 × 1"),
    ([("10", 1), ("11", 1)], "[10-11] × 1"),
    ([("rack1-node5-ib", 8), ("rack1-node6-ib", 8)], "rack1-node[5-6]-ib × 8"),
  ])
  func hostsAreCompressed(hosts: [(String, Int)], list: String) {
    #expect(machine(hosts).hostList == list)
  }

  @Test func summaries() {
    #expect(machine([("a", 1)]).summary == "1 rank × 1 thread on 1 host")
    #expect(machine([("a", 3), ("b", 3)], threads: 2).summary == "6 ranks × 2 threads on 2 hosts")
  }

  @Test func tooMuchForAHostIsWarnedOf() throws {
    #expect(machine([("a", 64), ("b", 64)]).warnings.isEmpty)
    let crowded = machine([("a", 2), ("b", 65)]).warnings
    #expect(crowded.count == 1)
    #expect(try #require(crowded.first).hasPrefix("b has 64 cores for 65 ranks × 1 thread"))
    #expect(machine([("a", 33)], threads: 2).warnings.count == 1)
  }

  @Test func moreThreadsThanARankMayUseAreWarnedOf() throws {
    let warnings = machine([("a", 2)], threads: 4, boundCores: 1).warnings
    #expect(warnings.count == 1)
    #expect(try #require(warnings.first).contains("bound to 1 core"))
  }

  @Test func theJobAtHand() throws {
    try TestWorld.with { ranks in
      let machine = try Machine(threads: 1, over: ranks)
      #expect(machine.ranks == ranks.size)
      #expect(machine.hosts.reduce(0) { $0 + $1.ranks } == ranks.size)
      #expect(machine.hostOfRank[ranks.rank] == (try ranks.hostName()))
      #expect(machine.hosts.allSatisfy { $0.cores > 0 })
      #expect(machine.boundCores > 0 && machine.boundCores <= machine.hosts.reduce(0) { max($0, $1.cores) })
    }
  }
}
