import ADMM
import CCounters
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

/// A sweep allocates nothing: all it needs was made at the start. With more threads than one, handing them the work takes one.
@Suite(.serialized) struct AllocationTests {
  /// The counter sees what is allocated, by us and by the system's libraries.
  @Test func allocationsAreCounted() {
    let before = allocation_count()
    let matrix = Matrix<Float>(rows: 3, columns: 3)
    let text = [String](repeating: "x", count: 100).joined()
    #expect(allocation_count() >= before + 2, "\(matrix.rows), \(text)")
  }

  private static let networks = [
    Network(widths: [28, 100, 1], activation: .relu, loss: .hinge, bias: true),
    Network(widths: [9, 5, 6, 3], activation: .leaky_relu, loss: .softmax, bias: true),
    Network(widths: [12, 20, 40, 10], activation: .hard_sigmoid, loss: .multiclass_hinge, bias: false),
    Network(widths: [12, 20, 2], activation: .identity, loss: .huber, bias: true),
    Network(widths: [15, 3], activation: .relu, loss: .logistic, bias: true),
  ]

  /// On one rank, so that MPI, whose reductions may allocate, is not asked.
  @Test(arguments: networks, [1, 2])
  func aSweepAllocatesNothing(network: Network, threads: Int) throws {
    let problem = Problem(network, samples: 500, seed: 61, chunk: 100)
    try TestWorld.with { ranks in
      guard ranks.size == 1 else { return }
      // As the program does: of several threads BLAS's own tools are made anew each time.
      setBLASThreads(1)
      let part = problem.part(of: ranks)
      let settings = TaylorSettings(network, warmStart: 0)
      var taylor = try Taylor.start(problem, part, settings, threads: threads, over: ranks)
      // The grids of the sums settle, and lazily made things are made.
      for _ in 0..<5 { try taylor.sweep(over: ranks, isMeasured: true) }
      let sweeps = 3
      // The whole process is counted: what another thread, such as the test library's, allocates meanwhile is not in every round.
      var fewest = Int.max
      for _ in 0..<3 {
        let before = allocation_count()
        for _ in 0..<sweeps { try taylor.sweep(over: ranks) }
        fewest = min(fewest, Int(allocation_count() - before))
      }
      #expect(fewest <= (threads == 1 ? 0 : sweeps), "\(fewest) allocations in three sweeps")
      #expect(taylor.events.isEmpty)
    }
  }
}
