import LinearAlgebra
import MPI
import Networks

/// What training comes to without a stop, and with one after which a method that was just started reads the state.
package struct Continuation {
  /// All weights after all sweeps.
  package let straight, resumed: [Float]
  /// What the last sweep came to.
  package let progress, resumedProgress: SweepProgress
  /// What all sweeps cost.
  package let work, resumedWork: SweepWork
  package let archive: MemoryArchive
  package let wrongNames: [String]

  /// - Parameters:
  ///   - before, after: how many sweeps lie before the stop and after it.
  ///   - threads: of the method that goes on; the other has one.
  package init(
    _ settings: any MethodSettings, _ problem: Problem, before: Int, after: Int, threads: Int,
    over ranks: borrowing Communicator
  ) throws {
    let part = problem.part(of: ranks)
    func options(_ threads: Int) -> StartOptions {
      StartOptions(seed: 3, sweeps: before + after, threads: threads)
    }
    let archive = MemoryArchive()
    var first = try settings.start(problem.network, part, options(1), over: ranks)
    try sweep(&first, before, part, over: ranks)
    try first.archive(archive, part)
    try sweep(&first, after, part, over: ranks)
    (straight, progress, work) = try result(&first, over: ranks)

    let reading = MemoryArchive(reading: archive)
    var second = try settings.start(problem.network, part, options(threads), over: ranks)
    // Whatever it knows is replaced.
    try sweep(&second, 1, part, over: ranks)
    try second.archive(reading, part)
    try sweep(&second, after, part, over: ranks)
    (resumed, resumedProgress, resumedWork) = try result(&second, over: ranks)
    self.archive = archive
    wrongNames = archive.wrongNames + reading.wrongNames
  }
}

private func sweep<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, _ count: Int, _ samples: borrowing Samples, over ranks: borrowing Communicator
) throws {
  for _ in 0..<count { try method.sweep(samples, over: ranks, isMeasured: true) }
}

private func result<Method: TrainingMethod & ~Copyable>(
  _ method: inout Method, over ranks: borrowing Communicator
) throws -> ([Float], SweepProgress, SweepWork) {
  (Array(method.flatWeights.elements), try method.progress(over: ranks), method.work)
}
