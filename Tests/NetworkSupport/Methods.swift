import LinearAlgebra
import MPI
import Networks
import TestSupport

extension TrainingMethod where Self: ~Copyable {
  /// W_1 … W_L, row by row.
  package var weights: [[[Double]]] {
    var W = network.zeroWeights()
    copyWeights(to: &W)
    var rows: [[[Double]]] = []
    for l in W.indices { rows.append(W[l].all.nested.map { $0.map(Double.init) }) }
    return rows
  }

  /// All weights in one column.
  package var flatWeights: Matrix<Float> {
    var W = network.zeroWeights()
    copyWeights(to: &W)
    return network.flat(W)
  }

  /// What the last sweep came to. Collective. Of a method known as `any TrainingMethod` only what mutates can be
  /// called.
  package mutating func lastProgress(over ranks: borrowing Communicator) throws -> SweepProgress {
    try progress(over: ranks)
  }

  /// A sweep that nobody asks about. Collective.
  package mutating func sweep(_ samples: borrowing Samples, over ranks: borrowing Communicator) throws {
    try sweep(samples, over: ranks, isMeasured: false)
  }
}
