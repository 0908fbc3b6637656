import Basics
import Configuration
import LinearAlgebra
import MPI
import Networks
import Reports
import Sums

/// What a run does about iterates that diverge: it goes back to the one that would be saved, or where that didn't help
/// to the start, and on from there with more care; `stop.divergences` times at the most, less one.
///
/// Decides from values that have the same bits on every rank.
struct Divergences {
  /// How many there were.
  private(set) var count = 0
  /// The lowest objective of an evaluated iterate.
  private var lowest: Double?
  /// To which iteration the last one went back.
  private var lastReturn: Int?

  /// What is wrong with an evaluated iterate, if it is one to go back from. Local, the same on every rank.
  ///
  /// - Parameter W: its weights.
  mutating func fault(
    _ record: IterationRecord, _ W: borrowing Layers<Matrix<Float>>, of network: Network,
    _ data: borrowing TrainingData, _ stop: StopSection
  ) -> NumericalError? {
    if let l = W.firstNotFinite { return .notFinite(sum: "W_\(l)") }
    guard let objective = record.objective else { return nil }
    guard objective.isFinite else { return .notFinite(sum: "the objective") }
    // What a network has that knows nothing: multiples of less are no divergence.
    let atZero =
      network.loss.atZero(outputs: network.widths[network.L]) * Double(data.samples.partition.samples)
    if let lowest, objective > stop.divergenceFactor * max(lowest, atZero) {
      return .risen(from: lowest, to: objective)
    }
    lowest = min(lowest ?? objective, objective)
    return nil
  }

  /// Counts a divergence. Local.
  ///
  /// - Parameter kept: the iteration that would be saved.
  /// - Returns: the one to go back to: this, or the start where nothing better came since the last return. What a
  ///   method calls its objective may be that of the way to an iterate, which is itself lost.
  mutating func note(goingBackTo kept: Int) -> Int {
    count += 1
    defer { lastReturn = kept }
    return kept == lastReturn ? 0 : kept
  }

  /// What it remembers. Collective.
  mutating func archive(_ state: any StateArchive) throws {
    try state("count", &count)
    try state("lowest", &lowest)
    try state("last_return", &lastReturn)
  }
}

extension TrainingProgress {
  /// Counts a divergence, and has the method begin again at the weights to keep, unless it was one too many or no
  /// iteration is left. Collective.
  ///
  /// - Returns: whether the run goes on; else its status is `diverged`.
  mutating func goBack<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, after error: NumericalError, _ configuration: Configuration,
    _ data: borrowing TrainingData, _ console: Console, over ranks: borrowing Communicator
  ) throws -> Bool {
    let back = divergences.note(
      goingBackTo: configuration.training.keepBest ? outcome.best?.iteration ?? 0 : outcome.last.iteration)
    let place = try data.overflow(at: &method, over: ranks).map { " \($0)" } ?? ""
    let what = "\(configuration.training.method): \(error).\(place)"
    do {
      if divergences.count < configuration.stop.divergences && iteration < configuration.training.iterations {
        if back == 0 {
          try method.restart(at: start, data.samples, over: ranks)
        } else {
          try method.restart(at: outcome.W, data.samples, over: ranks)
        }
        console.warn("\(what) Back to iteration \(back), \(method.events.last ?? "and on").")
        return true
      }
    } catch is NumericalError {}
    console.warn("\(what) The run ends. \(configuration.method.advice(error))")
    outcome.status = .diverged
    return false
  }
}

extension TrainingData {
  /// Where a method's network leaves the numbers that can be squared, in a sentence; nil where it doesn't. Collective.
  func overflow<Method: TrainingMethod & ~Copyable>(
    at method: inout Method, over ranks: borrowing Communicator
  ) throws -> String? {
    var W = method.network.zeroWeights()
    method.copyWeights(to: &W)
    let isKnown = W.firstNotFinite == nil
    return try overflow(method.network, W, layers: isKnown ? method.network.L : 0, over: ranks)
  }

  /// The same for given weights.
  ///
  /// - Parameter layers: how many layers to look at; 0 for the data alone.
  func overflow(
    _ network: Network, _ W: borrowing Layers<Matrix<Float>>, layers: Int, over ranks: borrowing Communicator
  ) throws -> String? {
    let hosts = try ranks.gather(ranks.hostName())
    guard let found = try samples.firstOverflow(network, W, layers: layers, over: ranks) else { return nil }
    let what =
      found.layer == 0
      ? "feature \(featureNames[found.row])" : "unit \(found.row + 1) of layer \(found.layer)"
    let number = "\(found.value) in \(what), which can't be squared in single precision"
    // Where most samples do, none of them is to blame.
    if 2 * found.samples > samples.partition.samples { return "There is \(number)." }
    let others = found.samples > 1 ? ", the first of \(grouped(found.samples)) samples" : ""
    return "Training sample \(grouped(found.sample + 1)) (rank \(found.rank) on \(hosts[found.rank])) has "
      + "\(number)\(others)."
  }

  /// Does `body`, and tells the user where in the data a numerical error comes from, if it does, and what to do.
  /// Collective.
  func advising<Result: ~Copyable>(
    _ network: Network, over ranks: borrowing Communicator, _ body: () throws -> Result
  ) throws -> Result {
    do { return try body() } catch let error as NumericalError {
      let place = try overflow(network, network.zeroWeights(), layers: 0, over: ranks)
      throw Failure(error, advice: (place.map { $0 + " " } ?? "") + NumericalError.dataAdvice)
    }
  }
}

extension Layers where Value == Matrix<Float> {
  /// The first layer with an entry that is not finite.
  fileprivate var firstNotFinite: Int? {
    indices.first { l in !self[l].elements.allSatisfy(\.isFinite) }
  }
}
