import Basics
import LinearAlgebra
import MPI
import Sums

/// One pass forward and back over some of the samples: the objective and the sums for all weights, in one reduction.
///
///     forward   z_l = W_l a_{l−1},  a_l = h(z_l)
///     back      δ_L, δ_{L−1}, … δ_1, by the rule
///     sums      g_l = (1/n) Σ δ_l a_{l−1}ᵀ + l2 V_l,   G_l = (1/n) Σ a_l a_lᵀ,   W_l = [V_l b_l]
///     returns   f = (1/n) Σ ℓ(z_L, y) + ½ l2 Σ_l ‖V_l‖²
///
/// By the chain rule g is the gradient of f. Nothing of the samples' size is kept: a tile's a_l and δ_l live in the
/// room of their thread. Weights and gradients are one flat column, laid out by `Network.parameters(_:of:)`.
package struct Pass<Rule: BackwardRule>: ~Copyable {
  package let network: Network
  /// How δ goes back.
  package let rule: Rule
  /// What all passes together cost.
  package private(set) var work = SweepWork()

  /// Two messages: δ_l a_{l−1}ᵀ and the loss; the same, and a_l a_lᵀ for l = 1 … L−1.
  private var sums: OwnedArray<LayerSums>
  /// W_l, and what δ_l is multiplied by on its way to δ_{l−1}, l = 2 … L, as products read them.
  private var weights, backward: Layers<Panels>
  /// For a net with one hidden layer and one output, whose δ_1 need not be stored.
  private let oneOutput: OneOutput?
  private let team: ThreadTeam
  private let rooms: [TileRoom]
  /// The numbers of this pass's chunks that this rank owns, in order. Kept so that a pass allocates nothing.
  private var chunks: [Int] = []

  /// The two messages of `sums`.
  private static var withoutGrams: Int { 0 }
  private static var withGrams: Int { 1 }

  /// - Parameter threads: how many threads share a rank's chunks. The bits don't depend on it.
  /// - Throws: a `Failure` of this rank where the system gives no more threads.
  package static func make(_ network: Network, _ rule: Rule, _ partition: Partition, threads: Int) throws
    -> Pass
  {
    Pass(network, rule, partition, try ThreadTeam(count: threads))
  }

  private init(_ network: Network, _ rule: Rule, _ partition: Partition, _ team: ThreadTeam) {
    let (L, d, threads) = (network.L, network.widths, team.count)
    self.network = network
    self.rule = rule
    self.team = team
    let hasOneOutput = !Rule.keepsOutputs && OneOutput.fits(network)
    oneOutput = hasOneOutput ? OneOutput(network, threads: threads) : nil
    let products = (1...L).map { l in l == 1 && hasOneOutput ? LayerSum.slopes(1) : .deltas(l) }
    let grams = (1..<L).map { LayerSum.gram($0) }
    sums = OwnedArray(0..<2) { i in
      LayerSums(
        (i == Self.withGrams ? grams : []) + products, network, partition, threads: threads,
        scalars: Rule.scalars(network))
    }
    weights = Layers(1..<L + 1) { l in Panels(rows: d[l], columns: network.inputs(l)) }
    backward = Layers(2..<max(L + 1, 2)) { l in Panels(rows: d[l - 1], columns: d[l]) }
    // As many as the rank with the most has.
    chunks.reserveCapacity((partition.chunks + partition.ranks - 1) / partition.ranks)
    rooms = (0..<threads).map { _ in
      TileRoom(network, keepsOutputs: Rule.keepsOutputs, scalars: Rule.scalars(network))
    }
  }

  /// f and g over the samples of a batch. Collective; one reduction, rarely more.
  ///
  /// - Parameters:
  ///   - g: overwritten, as long as `w`.
  ///   - w: all weights.
  ///   - batch: which chunks; the same on every rank.
  ///   - l2: the weight of ½ ‖V‖².
  ///   - hasGrams: whether G_1 … G_{L−1} come along, for `gram(_:)`.
  /// - Returns: f.
  /// - Throws: `NumericalError`, the same on all ranks, when a sum is not finite or a matrix of the way back can't
  ///   be had.
  package mutating func evaluate(
    _ g: inout Matrix<Float>, at w: borrowing Matrix<Float>, over batch: Batch, of samples: borrowing Samples,
    l2: Double, hasGrams: Bool = false, _ ranks: borrowing Communicator
  ) throws -> Double {
    try setWeights(w)
    chunks.removeAll(keepingCapacity: true)
    let own = samples.chunks
    batch.forEachChunk(of: samples.partition) { if own.contains($0) { chunks.append($0) } }
    let message = hasGrams ? Self.withGrams : Self.withoutGrams
    var isDone = false
    while !isDone {
      let isMeasuring = sums[message].isMeasuring
      visitChunks(samples, message, isMeasuring)
      rule.endPass(isMeasuring: isMeasuring)
      sums[message].scalars.clear()
      for room in rooms { sums[message].scalars.add(room.scalars) }
      isDone = try sums[message].reduce(over: ranks)
    }
    let n = batch.samples(of: samples.partition)
    addWork(n, message)
    rule.read(sums[message].scalars)
    return sums[message].scalars[0] / Double(n) + setGradient(&g, w, samples: n, l2: l2, message)
  }

  /// The same, but NaN where a sum is not finite: for methods that try steps which may be too long. Collective.
  package mutating func evaluateIfFinite(
    _ g: inout Matrix<Float>, at w: borrowing Matrix<Float>, over batch: Batch, of samples: borrowing Samples,
    l2: Double, hasGrams: Bool = false, _ ranks: borrowing Communicator
  ) throws -> Double {
    do {
      return try evaluate(&g, at: w, over: batch, of: samples, l2: l2, hasGrams: hasGrams, ranks)
    } catch NumericalError.notFinite {
      return .nan
    }
  }

  /// Forgets how large sums were: the next pass is as the first. Local.
  package mutating func forget() {
    for message in sums.indices { sums[message].forget() }
  }

  /// What the next pass depends on beside its weights. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    try state.within("rule") { try rule.archive(state) }
    try state.within("sums") { try sums[Self.withoutGrams].archive(state) }
    try state.within("sums_with_grams") { try sums[Self.withGrams].archive(state) }
    try state.within("work") { try work.archive(state) }
  }

  /// n G_l, l = 1 … L−1, of the last pass with `hasGrams`: the upper triangle.
  package func gram(_ l: Int) -> Tile<Double> { sums[Self.withGrams].total(.gram(l)) }

  /// Seconds of this rank in reductions and, the mean over its threads, in sums.
  package var seconds: (reduce: Double, sum: Double) {
    (sums[0].reducing + sums[1].reducing, sums[0].summing + sums[1].summing)
  }
}

// MARK: A tile

extension Pass {
  /// All tiles of the pass's chunks. The threads share the chunks. Local.
  private func visitChunks(_ samples: borrowing Samples, _ message: Int, _ isMeasuring: Bool) {
    for room in rooms { room.scalars.clear() }
    samples.forEachTile(of: chunks, length: PassTile.mostColumns, on: team) { own, thread in
      let tile = PassTile(own, thread: thread, room: rooms[thread])
      rule.visit(tile, isMeasuring: isMeasuring) {
        if let oneOutput { visit(tile, oneOutput, message) } else { visit(tile, message) }
      }
    } endOfChunk: {
      sums[message].closeChunk(thread: $0)
    }
  }

  /// Forward, back, and the sums. Local.
  private func visit(_ tile: PassTile, _ message: Int) {
    // z_l = W_l a_{l−1},  a_l = h(z_l)
    for l in 1..<network.L { passForward(l, tile) }
    // z_L = W_L a_{L−1}, and from it δ_L
    weights[network.L].multiply(tile.delta(network.L), tile.inputs(network.L - 1))
    tile.room.scalars.add(rule.setLastDelta(tile), to: 0)
    // δ_{L−1} … δ_1
    for l in stride(from: network.L - 1, to: 0, by: -1) {
      rule.setDelta(l, tile, W: weights[l + 1], B: backward[l + 1])
    }
    // Σ δ_l a_{l−1}ᵀ,  Σ a_l a_lᵀ
    sums[message].add(thread: tile.thread, a: { tile.inputs($0) }, left: { Tile(tile.delta($0)) })
  }

  private func passForward(_ l: Int, _ tile: PassTile) {
    let (a, h) = (tile.activations(l), network.activation)
    if Rule.keepsOutputs {
      let z = tile.outputs(l)
      weights[l].multiply(z, tile.inputs(l - 1))
      h.apply(a, Tile(z))
    } else {
      h.apply(a, weights[l], tile.inputs(l - 1), slopes: tile.slopes(l))
    }
    tile.setOnes(l)
  }

  /// The same where δ_1 is not stored. Local.
  private func visit(_ tile: PassTile, _ one: OneOutput, _ message: Int) {
    // z_1 = W_1 a_0,  a_1 = h(z_1),  z_2 = W_2 a_1, and from it δ_2
    one.passForward(tile, weights[1])
    tile.room.scalars.add(rule.setLastDelta(tile), to: 0)
    // x = δ_2 a_0:  Σ δ_1 a_0ᵀ = B_2 ∘ Σ h'(z_1) xᵀ
    let x = one.scaledInputs(tile)
    // Σ h'(z_1) xᵀ,  Σ δ_2 a_1ᵀ,  Σ a_1 a_1ᵀ
    sums[message].add(
      thread: tile.thread, a: { tile.inputs($0) }, kept: { tile.kept($0) },
      left: { $0 == 1 ? x : Tile(tile.delta(2)) })
  }
}

// MARK: Before and after

extension Pass {
  /// W_l and the matrices of the way back, in the order in which products read them. Local.
  private mutating func setWeights(_ w: borrowing Matrix<Float>) throws {
    for l in 1...network.L {
      let W = network.parameters(l, of: w).columns(0..<network.inputs(l))
      weights[l].assign(W)
      guard l > 1 else { continue }
      let B = try rule.backward(l, V: W.columns(0..<network.widths[l - 1]))
      if let oneOutput {
        oneOutput.assign(W, B)
      } else {
        switch B {
        case .matrix(let B): backward[l].assign(B)
        case .transposed(let V): backward[l].assign(transposed: V)
        }
      }
    }
  }

  /// g from the sums. Local. Returns ½ l2 ‖V‖².
  private func setGradient(
    _ g: inout Matrix<Float>, _ w: borrowing Matrix<Float>, samples: Int, l2: Double, _ message: Int
  ) -> Double {
    var penalty = 0.0
    let scale = 1 / Double(samples)
    for l in 1...network.L {
      let (to, W) = (network.mutableParameters(l, of: &g), network.parameters(l, of: w))
      let share = rule.decayShare(l) * l2
      let isFactored = l == 1 && oneOutput != nil
      let sum = sums[message].total(isFactored ? .slopes(1) : .deltas(l))
      for j in 0..<sum.columns {
        let (to, from, weights) = (to.column(j), sum.column(j), W.column(j))
        let decay = j < network.widths[l - 1] ? share : 0
        if isFactored, let B = oneOutput?.B {
          for i in 0..<sum.rows { to[i] = Float(scale * Double(B[i]) * from[i] + decay * Double(weights[i])) }
        } else {
          for i in 0..<sum.rows { to[i] = Float(scale * from[i] + decay * Double(weights[i])) }
        }
      }
      // The column of the bias where there is none.
      for j in sum.columns..<to.columns { to.column(j).update(repeating: 0, count: to.rows) }
      let V = W.columns(0..<network.widths[l - 1])
      penalty += 0.5 * l2 * dot(V.base, V.base, V.rows * V.columns)
    }
    return penalty
  }

  private mutating func addWork(_ samples: Int, _ message: Int) {
    let n = Double(samples)
    for l in 1...network.L {
      let product = 2 * network.widths[l] * network.inputs(l)
      work.flops += n * Double(product) * 2
      work.sumFlops += n * Double(product)
      guard l > 1 else { continue }
      work.flops += n * Double(2 * Rule.productsBack * network.widths[l] * network.widths[l - 1])
      let d = network.inputs(l)
      if message == Self.withGrams {
        work.flops += n * Double(d * (d + 1))
        work.sumFlops += n * Double(d * (d + 1))
      }
    }
    work.reductions += 1
    work.bytes += sums[message].bytes
    work.samples += n
  }
}
