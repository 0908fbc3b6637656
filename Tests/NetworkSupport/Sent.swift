import CCounters
import MPI
import Networks

/// What some sweeps sent, counted where MPI is called, beside what the method's `work` says of them.
package struct Sent {
  /// Calls of MPI_Allreduce, and the bytes that were given to it.
  package let reductions, bytes: Int
  /// The same by `work`: one reduction a pass.
  package let passes, bytesOfPasses: Int

  /// Does so many sweeps. Collective.
  package init<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, sweeps: Int, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    let (count, bytes, work) = (reduction_count(), reduced_bytes(), method.work)
    for _ in 0..<sweeps { try method.sweep(samples, over: ranks, isMeasured: true) }
    reductions = reduction_count() - count
    self.bytes = reduced_bytes() - bytes
    passes = method.work.reductions - work.reductions
    bytesOfPasses = method.work.bytes - work.bytes
  }

  /// Whether every pass's message was that of a pass, with Gram matrices or without.
  package func isOfPasses(_ network: Network, scalars: Int) -> Bool {
    let few = passBytes(network, hasGrams: false, scalars: scalars)
    let many = passBytes(network, hasGrams: true, scalars: scalars)
    return (0...passes).contains { $0 * many + (passes - $0) * few == bytesOfPasses }
  }
}

/// The bytes of a pass's message: every layer's product, the triangles of the Gram matrices where they come along, a
/// word for each of these sums, twenty-two for a sum of single numbers, and the notices.
package func passBytes(_ network: Network, hasGrams: Bool, scalars: Int) -> Int {
  let L = network.L
  let products = (1...L).map { network.widths[$0] * network.inputs($0) }
  let triangles = hasGrams ? (1..<L).map { network.inputs($0 + 1) * (network.inputs($0 + 1) + 1) / 2 } : []
  return 8 * ((products + triangles).reduce(0) { $0 + $1 + 1 } + 22 * scalars + Notices.count)
}
