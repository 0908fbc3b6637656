import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// What steps with momentum keep.
final class MomentumState {
  /// M.
  var momentum: Matrix<Float>
  /// w̄, the average of w over the steps, and how many it knows.
  var average: Matrix<Float>
  var averaged = 0
  /// η, halved when a divergence was undone.
  var eta: Double
  /// A running mean of the batches' objectives; nil before the first.
  var recent: Double?

  init(_ network: Network, step: Double) {
    momentum = network.flatZeros()
    average = network.flatZeros()
    eta = step
  }

  /// At w, with nothing known but the step. Local.
  func restart(at w: borrowing Matrix<Float>, step: Double) {
    momentum.fill(0)
    average.assign(w)
    (averaged, eta, recent) = (0, step, nil)
  }

  func archive(_ state: any StateArchive) throws {
    try state("momentum", &momentum)
    try state("average", &average)
    try state("averaged", &averaged)
    try state("eta", &eta)
    try state("recent", &recent)
  }
}

/// Which batches come next, and whether it is time for larger ones.
final class BatchGrowth {
  var walk: BatchWalk
  /// The mean objective of the last whole passes since the batches last grew: as many as `hasStalled` looks at.
  private var passes: [Double] = []

  init(_ walk: BatchWalk) {
    self.walk = walk
    passes.reserveCapacity(2 * AcceleratedTuning.stallPasses)
  }

  func archive(_ state: any StateArchive) throws {
    try state.within("walk") { try walk.archive(state) }
    try state("passes", &passes)
  }

  /// Takes the mean objective of a whole pass. Whether the noise of batches is what keeps it up.
  ///
  /// The last passes lowered its mean by next to nothing against those before; several, since batches make it noisy.
  /// And much of it is left: where the network learns the training set by heart, the gradients' noise vanishes with
  /// the loss (Ma, Bassily & Belkin, 2018), and small batches generalise better.
  func hasStalled(_ objective: Double, lossAtZero: Double) -> Bool {
    typealias Tuning = AcceleratedTuning
    let n = Tuning.stallPasses
    if passes.count == 2 * n { passes.removeFirst() }
    passes.append(objective)
    guard passes.count == 2 * n else { return false }
    let late = passes.suffix(n).reduce(0, +)
    let early = passes.prefix(n).reduce(0, +)
    return !(late < (1 - Tuning.leastDecrease) * early) && late > Tuning.noisyPart * lossAtZero * Double(n)
  }

  /// Halves the number of batches a pass.
  func grow() {
    walk.batches /= 2
    passes.removeAll(keepingCapacity: true)
  }
}

extension Accelerated {
  /// M ← μ M + η D,  w ← w − (μ M + η D) for the batch's D; nil if a divergence was undone instead. Collective; one
  /// reduction.
  private mutating func makeStep(
    _ state: MomentumState, on batch: Batch, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws -> Double? {
    // f, g_l = (1/n) Σ δ_l a_{l−1}ᵀ + l2 V_l,  G_l = (1/n) Σ a_{l−1} a_{l−1}ᵀ
    let hasGrams = stepCount >= nextGrams
    let f = try evaluate(on: batch, samples, hasGrams: hasGrams, over: ranks)
    guard try !hasDiverged(f, state, on: batch, samples, hasGrams: hasGrams, over: ranks) else {
      try undo(f, state)
      return nil
    }
    noteRecent(f, state)
    let start = monotonicSeconds()
    if hasGrams { try refreshMetric(from: batch) }
    // w̄ ← w̄ + c/(t + c) (w − w̄)
    average(state)
    // D_l = g_l (G_l + ρ_l I)⁻¹
    metric.multiply(&iterate.direction, iterate.g)
    // M ← μ M + η D,  w ← w − (μ M + η D)
    momentumStep(
      &iterate.w, &state.momentum, iterate.direction, mu: Float(settings.momentum), scale: Float(state.eta))
    stepCount += 1
    seconds.solve += monotonicSeconds() - start
    return f
  }

  /// Momentum steps on the batches of a sweep, which grow when their noise is what keeps the objective up.
  mutating func sweepBatches(
    _ state: MomentumState, _ growth: BatchGrowth, _ samples: borrowing Samples,
    over ranks: borrowing Communicator
  ) throws {
    let isWholePass = growth.walk.isWholePass
    var (total, count) = (0.0, 0)
    growth.walk.beginSweep()
    while let batch = growth.walk.next() {
      guard let f = try makeStep(state, on: batch, samples, over: ranks) else { continue }
      total += f
      count += 1
    }
    // A sweep whose every step was undone has no objective of its own.
    guard count > 0 else { return }
    objective = total / Double(count)
    if isWholePass, growth.hasStalled(objective, lossAtZero: lossAtZero) { grow(state, growth) }
  }

  /// The same on all samples. A rise of the objective restarts the momentum (O'Donoghue & Candès, 2015).
  mutating func sweepAll(
    _ state: MomentumState, _ samples: borrowing Samples, over ranks: borrowing Communicator
  ) throws {
    let former = state.recent
    guard let f = try makeStep(state, on: .whole, samples, over: ranks) else { return }
    if let former, f > former { state.momentum.scale(0) }
    (objective, state.recent) = (f, f)
  }

  private func noteRecent(_ f: Double, _ state: MomentumState) {
    let share = AcceleratedTuning.recentShare
    state.recent = state.recent.map { (1 - share) * $0 + share * f } ?? f
  }

  /// The average of all w so far, the late ones weighted more: Shamir & Zhang (2013), polynomial decay.
  private func average(_ state: MomentumState) {
    let c = AcceleratedTuning.averaging
    let share = Double(c + 1) / Double(state.averaged + c + 1)
    state.averaged += 1
    state.average.move(Float(share), towards: iterate.w)
  }

  /// Takes the Gram matrices that came with a batch, and says when to ask for them again.
  mutating func refreshMetric(from batch: Batch) throws {
    typealias Tuning = AcceleratedTuning
    let isPart = batch.count > 1
    try metric.setHidden(
      from: pass, samples: batch.samples(of: partition), keep: isPart ? Tuning.gramMemory : 0)
    nextGrams = stepCount + min(max(Tuning.gramGrowth * stepCount, 1), Tuning.gramInterval)
  }

  private mutating func grow(_ state: MomentumState, _ growth: BatchGrowth) {
    growth.grow()
    state.averaged = min(state.averaged, AcceleratedTuning.averaging)
    guard growth.walk.batches < AcceleratedTuning.fewestBatches else {
      events.append("\(growth.walk.batches) blocks a pass from here")
      return
    }
    iterate.w.assign(state.average)
    state.momentum.scale(0)
    state.recent = nil
    phase = Self.wholePhase(network, settings, state)
    events.append("steps on all samples from here")
  }
}

// MARK: Divergence

extension Accelerated {
  private var lossAtZero: Double { network.loss.atZero(outputs: network.widths[network.L]) }

  /// Whether f over a batch, if much above the recent mean, is also much above what the average has on the same
  /// batch: otherwise the batch is a hard one, with outliers for instance. Collective: two more passes over the
  /// batch in such a case.
  private mutating func hasDiverged(
    _ f: Double, _ state: MomentumState, on batch: Batch, _ samples: borrowing Samples, hasGrams: Bool,
    over ranks: borrowing Communicator
  ) throws -> Bool {
    typealias Tuning = AcceleratedTuning
    guard f.isFinite else { return true }
    guard let recent = state.recent, f >= Tuning.divergence * max(recent, Tuning.smallPart * lossAtZero)
    else {
      return false
    }
    iterate.formerW.assign(iterate.w)
    iterate.w.assign(state.average)
    let atAverage = try evaluate(on: batch, samples, hasGrams: hasGrams, over: ranks)
    iterate.w.assign(iterate.formerW)
    guard f < Tuning.divergence * atAverage else { return true }
    // For the gradient.
    _ = try evaluate(on: batch, samples, hasGrams: hasGrams, over: ranks)
    return false
  }

  /// Goes back to the average, without momentum and with half the step.
  private mutating func undo(_ f: Double, _ state: MomentumState) throws {
    if stepCount > 0 { iterate.w.assign(state.average) }
    // Not a product with 0: it may be infinite.
    state.momentum.fill(0)
    state.eta /= 2
    state.recent = state.recent.map { $0 * AcceleratedTuning.leniency }
    events.append("objective rose to \(Float(f)): undone, step halved")
    guard state.eta > AcceleratedTuning.leastStep * settings.step else { throw NumericalError.rising }
  }
}
