import ADMM
import Configuration
import LinearAlgebra
import MPI
import Networks
import Optimizers
import Runs
import Sums
import TestSupport
import Testing

/// Weights that should be the same on all ranks.
@Suite(.serialized) struct ReplicaTests {
  @Test func aBitOfOneRankIsSeenByAll() throws {
    try TestWorld.with { ranks in
      // Each rank in turn has another number in its last bit.
      var W = Layers(1..<3) { l in Matrix<Float>(rows: 2, columns: l + 1) { Float($0 + l * $1) } }
      let before = try Replicas.areEqual(W, over: ranks)
      #expect(before)
      for rank in 0..<ranks.size {
        let entry = W[2][1, 2]
        if ranks.rank == rank { W[2][1, 2] = entry.nextUp }
        let areEqual = try Replicas.areEqual(W, over: ranks)
        #expect(areEqual == (ranks.size == 1))
        W[2][1, 2] = entry
      }
      let after = try Replicas.areEqual(W, over: ranks)
      #expect(after)
    }
  }

  /// Whatever ranks have come to, they then have rank 0's.
  @Test func ofRootIsTakenByAll() throws {
    try TestWorld.with { ranks in
      var column = Matrix<Float>(rows: 5, columns: 1) { i, _ in Float(10 * ranks.rank + i) }
      try column.takeEntriesOfRoot(over: ranks)
      #expect(column.all.nested.joined().elementsEqual([0, 1, 2, 3, 4]))
    }
  }
}
