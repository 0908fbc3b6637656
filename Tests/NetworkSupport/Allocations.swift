import CCounters
import LinearAlgebra
import MPI
import Networks

/// What the sweeps of a method allocated on the heap outside of MPI's functions: this thread and those that the
/// method started.
package struct Allocations: CustomStringConvertible {
  /// How many there were, of any size.
  package let count: Int
  /// How many passes over the data or a batch there were.
  package let passes: Int
  /// What the method had to say, which takes memory.
  package let events: [String]

  package var description: String { "\(count) allocations in \(passes) passes" }

  /// Whether there were none; with more threads than one no more than it takes to hand them a pass, and now and then
  /// a second one, where sums have to be measured.
  package func areFew(threads: Int) -> Bool { count <= (threads > 1 ? 2 * passes : 0) }

  /// Starts a method, does the first sweeps, in which lazily made things are made, and watches the sweeps after
  /// them; every other one is measured. Collective.
  package init(
    _ settings: some MethodSettings, _ problem: Problem, threads: Int, after first: Int, sweeps: Int,
    over ranks: borrowing Communicator
  ) throws {
    // As the program does: of several threads BLAS's own tools are made anew each time.
    setBLASThreads(1)
    let samples = problem.part(of: ranks)
    let options = StartOptions(sweeps: first + sweeps, threads: threads)
    watch_allocations(true)
    defer { watch_allocations(false) }
    var method = try settings.start(problem.network, samples, options, over: ranks)
    for number in 0..<first { try method.sweep(samples, over: ranks, isMeasured: number % 2 == 0) }
    let (before, work) = (allocation_count(), method.work)
    for number in 0..<sweeps { try method.sweep(samples, over: ranks, isMeasured: number % 2 == 0) }
    count = allocation_count() - before
    passes = method.work.reductions - work.reductions
    events = method.events
  }
}

/// Nets of every kernel: of one hidden layer and one output, of few outputs and of many, wide and narrow, deep, and
/// without a hidden layer; with activations of pieces, and smooth ones, whose updates are searched for.
package let netsOfEveryKernel = [
  Network(widths: [28, 100, 1], activation: .relu, loss: .hinge, bias: true),
  Network(widths: [9, 5, 6, 3], activation: .leaky_relu, loss: .softmax, bias: true),
  Network(widths: [12, 20, 40, 10], activation: .hard_sigmoid, loss: .multiclass_hinge, bias: false),
  Network(widths: [12, 20, 2], activation: .identity, loss: .huber, bias: true),
  Network(widths: [15, 3], activation: .relu, loss: .logistic, bias: true),
  Network(widths: [9, 20, 1], activation: .silu, loss: .logistic, bias: true),
  Network(widths: [9, 5, 6, 3], activation: .tanh, loss: .softmax, bias: true),
  Network(widths: [9, 10, 12, 6], activation: .sigmoid, loss: .square, bias: false),
]
