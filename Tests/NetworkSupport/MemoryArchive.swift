import LinearAlgebra
import MPI
import Networks
import Sums

/// A state that is kept in memory: what was written is read by a second archive.
package final class MemoryArchive: StateArchive {
  package let isReading: Bool
  private var prefix = ""
  package private(set) var lists: [String: [Double]] = [:]
  package private(set) var texts: [String: String] = [:]
  /// Names that were used twice, or that were asked for and are not there.
  package private(set) var wrongNames: [String] = []

  /// To be written.
  package init() { isReading = false }

  /// To be read.
  package init(reading other: MemoryArchive) {
    isReading = true
    (lists, texts) = (other.lists, other.texts)
  }

  package func within(_ name: String, _ body: () throws -> Void) throws {
    let outer = prefix
    prefix += name + "."
    defer { prefix = outer }
    try body()
  }

  /// The numbers of a name, written or read.
  private func exchange(_ name: String, _ numbers: [Double], count: Int?) -> [Double] {
    let name = prefix + name
    guard isReading else {
      if lists.updateValue(numbers, forKey: name) != nil { wrongNames.append(name) }
      return numbers
    }
    guard let found = lists[name], count == nil || count == found.count else {
      wrongNames.append(name)
      return numbers
    }
    return found
  }

  package func list(_ name: String, _ x: inout [Int], count: Int?) {
    x = exchange(name, x.map { Double($0) }, count: count).map { $0 <= -0x1p63 ? .min : Int($0) }
  }

  package func list(_ name: String, _ x: inout [Double], count: Int?) { x = exchange(name, x, count: count) }

  package func list(_ name: String, _ x: inout [Float], count: Int?) {
    x = exchange(name, x.map(Double.init), count: count).map { Float($0) }
  }

  package func callAsFunction(_ name: String, _ x: inout String) {
    if isReading { x = texts[prefix + name] ?? x } else { texts[prefix + name] = x }
  }

  package func bySample(_ name: String, _ x: MutableTile<Float>) {
    var numbers: [Double] = []
    for j in 0..<x.columns { for i in 0..<x.rows { numbers.append(Double(x.column(j)[i])) } }
    numbers = exchange(name, numbers, count: numbers.count)
    for j in 0..<x.columns { for i in 0..<x.rows { x.column(j)[i] = Float(numbers[j * x.rows + i]) } }
  }
}

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
