import Basics
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct FailureTests {
  /// sysexits.h's numbers: batch scripts depend on them.
  @Test func exitStatuses() {
    let statuses: [MPI.ExitStatus] = [
      .done, .usage, .badData, .noInput, .numericalFailure, .inputOutput, .stoppedEarly, .badConfiguration,
    ]
    #expect(statuses.map(\.rawValue) == [0, 64, 65, 66, 70, 74, 75, 78])
  }

  @Test func agreementOnSuccessKeepsEachRanksValue() throws {
    try TestWorld.with { ranks in
      let rank = ranks.rank
      let value = try ranks.agree { 7 * rank + 1 }
      #expect(value == 7 * rank + 1)
    }
  }

  @Test func everyRankGetsTheFailureOfTheOneThatFails() throws {
    try TestWorld.with { ranks in
      let rank = ranks.rank
      for failing in 0..<ranks.size {
        for status: MPI.ExitStatus in [
          .badData, .noInput, .numericalFailure, .inputOutput, .badConfiguration,
        ] {
          let failure = failure(over: ranks) {
            if rank == failing { throw Failure(status, "line \(failing + 2): „ä“ is not a number") }
          }
          #expect(failure?.status == status)
          #expect(failure?.message == "line \(failing + 2): „ä“ is not a number")
          #expect(failure?.isShared == true)
        }
      }
      let sum = try ranks.sum(1)
      #expect(sum == ranks.size, "the ranks are in step after the failures")
    }
  }

  /// Parts are in file order, so that the first mistake in the file is reported whatever the number of ranks.
  @Test func ofSeveralFailuresTheLowestRanksWins() {
    TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      for lowest in 0..<size {
        let failure = failure(over: ranks) {
          if rank == lowest { throw Failure(.badData, "first, of rank \(rank)") }
          if rank > lowest { throw Failure(.noInput, "a longer message that comes later, of rank \(rank)") }
        }
        #expect(failure?.status == .badData)
        #expect(failure?.message == "first, of rank \(lowest)")
      }
    }
  }

  @Test func anotherErrorBecomesAnInputOutputFailureWithItsText() {
    struct Oddity: Error, CustomStringConvertible { let description = "an odd thing" }
    TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      let failure = failure(over: ranks) { if rank == size - 1 { throw Oddity() } }
      #expect(failure?.status == .inputOutput)
      #expect(failure?.message == "an odd thing")
      #expect(failure?.isShared == true)
    }
  }

  /// What `agree` throws for `body`; nil if it throws nothing or something else.
  private func failure(over ranks: borrowing Communicator, _ body: () throws -> Void) -> Failure? {
    do {
      try ranks.agree(body)
      return nil
    } catch {
      return error as? Failure
    }
  }
}
