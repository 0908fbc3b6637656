import Basics
import LinearAlgebra
import MPI
import Networks
import Reports

/// Watches that all ranks have the same weights, as they should: nothing that is not summed exactly is exchanged.
///
/// Ranks whose libraries round differently, such as OpenBLAS with kernels for several processors, drift apart. What is
/// evaluated and saved must then still be one network: rank 0's.
package struct Replicas {
  var hasWarned = false

  /// Whether all ranks have the same bits. Collective; one reduction of two numbers.
  package static func areEqual(
    _ W: borrowing Layers<Matrix<Float>>, over ranks: borrowing Communicator
  ) throws -> Bool {
    let own = fingerprint(W)
    // The smallest fingerprint, and the complement of the largest.
    var ends = [own, ~own]
    try ranks.min(&ends)
    return ends[0] == ~ends[1]
  }

  /// Copies a method's weights, which are rank 0's from here on where the ranks have others. Collective.
  mutating func copyWeights<Method: TrainingMethod & ~Copyable>(
    of method: inout Method, to W: inout Layers<Matrix<Float>>, _ console: Console, iteration: Int,
    over ranks: borrowing Communicator
  ) throws {
    method.copyWeights(to: &W)
    guard try !Self.areEqual(W, over: ranks) else { return }
    try warn(console, iteration: iteration, over: ranks)
    try method.takeWeightsOfRoot(over: ranks)
    method.copyWeights(to: &W)
  }

  /// Says once that they differ. Collective.
  private mutating func warn(_ console: Console, iteration: Int, over ranks: borrowing Communicator) throws {
    guard !hasWarned else { return }
    hasWarned = true
    let kernels = try ranks.gather(Versions.current.blasKernel)
    let hosts = try ranks.gather(ranks.hostName())
    var places: [String: String] = [:]
    for (kernel, host) in zip(kernels, hosts).reversed() { places[kernel] = host }
    let list = places.sorted { $0.key < $1.key }.map { "\($0.key) on \($0.value)" }.joined(separator: ", ")
    console.warn(
      "the ranks' weights differ after iteration \(iteration): their libraries round differently "
        + "(\(places.count == 1 ? "one BLAS kernel, " : "BLAS kernels ")\(list)). From here all take those of rank 0 "
        + "at each evaluation. OPENBLAS_CORETYPE, set to one kernel for all hosts, mends it.")
  }

  /// Of the weights' bits.
  private static func fingerprint(_ W: borrowing Layers<Matrix<Float>>) -> Int {
    var hash = FNV()
    for l in W.indices {
      for weight in W[l].elements { hash.add(UInt64(weight.bitPattern)) }
    }
    return Int(truncatingIfNeeded: hash.value)
  }
}
