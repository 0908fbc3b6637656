import MPI
import TestSupport
import Testing

@Suite(.serialized) struct MPIErrorTests {
  /// The default of MPI is to kill the job. Ours is an error with MPI's own text, and the job goes on.
  @Test func aWrongRankIsAnErrorAndTheJobGoesOn() throws {
    try TestWorld.with { ranks in
      let size = ranks.size
      let x = [1.0]
      do throws(MPIError) {
        try x.withUnsafeBufferPointer { buffer throws(MPIError) in try ranks.send(buffer, to: size) }
        Issue.record("rank \(size) of \(size) took a message")
      } catch {
        #expect(error.call == "MPI_Send")
        #expect(error.code != 0)
        #expect(error.message.contains("rank"))
        #expect(error.description == "MPI_Send failed with code \(error.code): \(error.message)")
      }
      let sum = try ranks.sum(1)
      #expect(sum == size)
    }
  }

  @Test(.enabled(if: TestWorld.with { $0.size > 1 }, "a broadcast on one rank has no root to get wrong"))
  func aWrongRootIsAnErrorOnEveryRank() throws {
    try TestWorld.with { ranks in
      let size = ranks.size
      for root in [size, -7] {
        var x = [1, 2, 3]
        do throws(MPIError) {
          try ranks.broadcast(&x, from: root)
          Issue.record("\(root) of \(size) was taken for a root")
        } catch {
          #expect(error.call == "MPI_Bcast")
          #expect(error.message.contains("root"))
        }
        #expect(x == [1, 2, 3])
      }
      let sum = try ranks.sum(1)
      #expect(sum == size)
    }
  }
}
