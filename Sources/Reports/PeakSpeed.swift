import Basics
import LinearAlgebra
import MPI

/// The speed of each rank's matrix products alone, in 10⁹ floating-point operations a second, while all ranks
/// measure theirs. Collective; about 0.1 s and 12 MiB.
package func measuredProductSpeeds(over ranks: borrowing Communicator) throws(MPIError) -> Spread {
  try ranks.barrier()
  return try Spread(measuredProductSpeed(), over: ranks)
}

/// The best of three products of 1024 × 1024 matrices. Local.
private func measuredProductSpeed() -> Double {
  let n = 1024
  var A = Matrix<Float>(rows: n, columns: n)
  var B = Matrix<Float>(rows: n, columns: n)
  var C = Matrix<Float>(rows: n, columns: n)
  for k in 0..<n * n {
    A.mutableBase[k] = Float(k % 7) - 3
    B.mutableBase[k] = Float(k % 5) - 2
  }
  var best = Double.infinity
  for _ in 0..<3 {
    let start = monotonicSeconds()
    multiply(C.mutableAll, A.all, B.all)
    best = min(best, monotonicSeconds() - start)
  }
  return 2 * Double(n * n * n) / best / 1e9
}
