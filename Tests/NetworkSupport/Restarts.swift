import Basics
import LinearAlgebra
import MPI
import Networks

/// The weights after three more sweeps of a method that diverged twice, at `first` and then at given finite weights
/// from which it goes on: they must not depend on what it met in between. Collective.
///
/// - Parameters:
///   - sweeps: how many are done before.
///   - first: an entry of all weights, such as NaN, from which the method tries a sweep.
///   - start: makes the method.
package func weightsAfterRestarts(
  _ problem: Problem, sweeps: Int, first: Float, over ranks: borrowing Communicator,
  start: (_ samples: borrowing Samples, _ ranks: borrowing Communicator) throws -> any TrainingMethod
    & ~Copyable
) throws -> [[[Double]]] {
  let part = problem.part(of: ranks)
  var method = try start(part, ranks)
  for _ in 0..<sweeps { try method.sweep(part, over: ranks) }
  var lost = problem.network.zeroWeights()
  for l in lost.indices { lost[l].fill(first) }
  do {
    try method.restart(at: lost, part, over: ranks)
    try method.sweep(part, over: ranks)
  } catch is NumericalError {}
  let W = problem.network.randomWeights(seed: 99)
  try method.restart(at: W, part, over: ranks)
  method.events = []
  for _ in 0..<3 { try method.sweep(part, over: ranks) }
  return method.weights
}
