import MPI
import Reports
import TestSupport
import Testing

private func machine(_ hosts: [(String, Int)], threads: Int = 1) -> Machine {
  let names = hosts.flatMap { [String](repeating: $0.0, count: $0.1) }
  return Machine(
    hosts: hosts.map { Machine.Host(name: $0.0, ranks: $0.1, cores: 64) }, hostOfRank: names,
    threads: threads,
    coresOfRank: names.map { _ in Cores(0..<64) })
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

  @Test func theJobAtHand() throws {
    try TestWorld.with { ranks in
      let machine = try Machine(threads: 1, over: ranks)
      #expect(machine.ranks == ranks.size)
      #expect(machine.hosts.reduce(0) { $0 + $1.ranks } == ranks.size)
      #expect(machine.hostOfRank[ranks.rank] == (try ranks.hostName()))
      #expect(machine.hosts.allSatisfy { $0.cores > 0 })
      #expect(machine.coresOfRank.count == ranks.size)
      for (host, cores) in zip(machine.hostOfRank, machine.coresOfRank) {
        let online = try #require(machine.hosts.first { $0.name == host }).cores
        #expect((1...online).contains(cores.count))
      }
    }
  }
}
