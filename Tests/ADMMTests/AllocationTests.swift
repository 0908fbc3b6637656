import ADMM
import CCounters
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Sums
import TestSupport
import Testing

/// A sweep allocates nothing: all it needs was made at the start. With more threads than one, handing them a pass
/// takes one.
@Suite(.serialized) struct AllocationTests {
  /// The counter sees what a watched thread allocates, itself and by the system's libraries, also after a call of
  /// MPI.
  @Test func allocationsAreCounted() throws {
    func allocate() -> Int {
      let matrix = Matrix<Float>(rows: 3, columns: 3)
      return [String](repeating: "x", count: 100 + matrix.rows).joined().count
    }
    let unwatched = allocation_count()
    #expect(allocate() == 103 && allocation_count() == unwatched)
    try TestWorld.with { ranks in
      watch_allocations(true)
      defer { watch_allocations(false) }
      let before = allocation_count()
      var one = [1]
      try ranks.sum(&one)
      let between = allocation_count()
      let length = allocate()
      let after = allocation_count()
      #expect(after >= between + 2 && between >= before + 1, "\(before), \(between), \(after); \(length)")
    }
  }

  /// And what the threads of a team allocate that a watched thread has started.
  @Test func allocationsOfThreadsAreCounted() throws {
    watch_allocations(true)
    defer { watch_allocations(false) }
    let team = try ThreadTeam(count: 3)
    let none = allocation_count()
    team.run { _ in }
    let handed = allocation_count()
    team.run { thread in
      guard thread > 0 else { return }
      let matrix = Matrix<Float>(rows: thread, columns: 1)
      precondition(matrix.count == thread)
    }
    let after = allocation_count()
    #expect(after - handed == handed - none + 2, "\(none), \(handed), \(after)")
  }

  @Test(arguments: netsOfEveryKernel, [1, 2])
  func aSweepOfTaylorAllocatesNothing(network: Network, threads: Int) throws {
    let problem = Problem(network, samples: 500, seed: 61, chunk: 50)
    for storage in ActivationStorage.allCases {
      let settings = TaylorSettings(network, warmStart: 0, storage: storage)
      try expectNoAllocations(settings, problem, threads)
    }
  }

  @Test(arguments: netsOfEveryKernel, [1, 2])
  func aSweepOfConsistentAllocatesNothing(network: Network, threads: Int) throws {
    var settings = ConsistentSettings()
    settings.l2 = 0.01
    try expectNoAllocations(settings, Problem(network, samples: 500, seed: 61, chunk: 50), threads)
  }

  private func expectNoAllocations(_ settings: some MethodSettings, _ problem: Problem, _ threads: Int) throws
  {
    try TestWorld.with { ranks in
      let found = try Allocations(settings, problem, threads: threads, after: 2, sweeps: 12, over: ranks)
      #expect(found.events.isEmpty, "\(found.events)")
      #expect(found.passes == 12)
      #expect(found.areFew(threads: threads), "\(found)")
    }
  }
}
