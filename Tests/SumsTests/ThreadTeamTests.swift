import Basics
import CCounters
import Sums
import Testing

/// The threads of a rank.
@Suite(.serialized) struct ThreadTeamTests {
  /// What a thread has counted, a cache line each.
  private final class Counts: @unchecked Sendable {
    private let base: UnsafeMutablePointer<Int>
    private let threads: Int

    init(_ threads: Int) {
      self.threads = threads
      base = .allocate(capacity: 8 * threads)
      base.initialize(repeating: 0, count: 8 * threads)
    }

    deinit { base.deallocate() }

    func add(_ number: Int, thread: Int) { base[8 * thread] += number }

    var all: [Int] { (0..<threads).map { base[8 * $0] } }
  }

  /// Every thread does its part once, under its own number, before `run` returns; again and again.
  @Test(arguments: [1, 2, 3, 8]) func everyThreadDoesItsPart(count: Int) throws {
    let team = try ThreadTeam(count: count)
    #expect(team.count == count)
    let counts = Counts(count)
    for round in 1...50 {
      team.run { thread in counts.add(thread + 1, thread: thread) }
      #expect(counts.all == (1...count).map { $0 * round })
    }
  }

  /// Where the system gives too few threads, the rank fails and does not wait for those that there are.
  @Test(.enabled(if: counts_allocations(), "a sanitizer starts the threads"), arguments: [0, 1, 3])
  func tooFewThreadsAreAFailure(allowed: Int) {
    allow_threads(Int32(allowed))
    let failure = #expect(throws: Failure.self) { try ThreadTeam(count: 5) }
    allow_threads(-1)
    #expect(failure?.status == .inputOutput && failure?.isShared == false)
    #expect(failure?.message.hasPrefix("thread \(allowed + 2) of 5 can't be started: ") == true)
    #expect(throws: Never.self, "the next team is complete") { try ThreadTeam(count: 3).run { _ in } }
  }
}
