import Basics
import Glibc
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct FailureTests {
  /// The system's own numbers, those of sysexits.h, and no others: batch scripts depend on them.
  @Test func exitStatuses() {
    let statuses: [Basics.ExitStatus: Int32] = [
      .done: EX_OK, .usage: EX_USAGE, .badData: EX_DATAERR, .noInput: EX_NOINPUT,
      .numericalFailure: EX_SOFTWARE, .inputOutput: EX_IOERR, .stoppedEarly: EX_TEMPFAIL, .noMemory: EX_OSERR,
      .badConfiguration: EX_CONFIG,
    ]
    for (status, number) in statuses { #expect(status.rawValue == number, "\(status)") }
    let all = (Int32(0)...255).compactMap { Basics.ExitStatus(rawValue: $0) }
    #expect(Set(all) == Set(statuses.keys), "a status that sysexits.h is not asked for")
  }

  /// A numerical error, which all ranks meet alike, becomes a failure that they share, with the advice of whoever
  /// knows the settings.
  @Test func aNumericalErrorBecomesASharedFailureWithAdvice() {
    struct Oddity: Error {}
    let failure = #expect(throws: Failure.self) {
      try advising("Raise the ridge.") { throw NumericalError.unsolvable(system: "W_2", reason: "a NaN") }
    }
    #expect(failure?.status == .numericalFailure && failure?.isShared == true)
    #expect(failure?.message == "the system for W_2 can't be solved: a NaN. Raise the ridge.")
    #expect(throws: Oddity.self) { try advising("Raise the ridge.") { throw Oddity() } }
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
        for status: Basics.ExitStatus in [
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
