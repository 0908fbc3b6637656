import Basics
import LinearAlgebra
import MPI
import Sums

/// How an error at the outputs of a layer becomes one at those of the layer before.
package enum Propagation: Sendable, Equatable {
  /// By the chain rule: δ_L = ∂ℓ/∂z_L, δ_{l−1} = h'(z_{l−1}) ∘ Vᵀ δ_l. The sums are the objective's gradient.
  case gradient
  /// By Algorithm 1's own updates, from a point where all constraints hold: δ_L is minus what the update of z_L would add with penalty
  /// `beta`, and δ_{l−1} = h'(z_{l−1}) ∘ Vᵀ (V Vᵀ + r I)⁻¹ δ_l is the a-update, then the z-update to first order. No derivative of the loss.
  case updates(beta: Float, r: Double)
  /// By Algorithm 1's updates with a multiplier on every constraint, which persist from pass to pass: see `Multipliers`. The sums are those of
  /// −δ_l = W_l a_{l−1} − (z_l + u_l).
  ///
  /// A pass that only measures sums leaves the multipliers as they are. Only where sums turn out not to fit the grids that they had, which is
  /// rare and the same on any number of ranks, do the multipliers take a second step at the same weights.
  case multipliers
}

/// One pass forward and backward over some of the samples: the objective and the sums for all weights, in one reduction.
///
///     z_l = W_l a_{l−1},  a_l = h(z_l),      f = (1/n) Σ ℓ(z_L, y) + ½ l2 Σ_l ‖V_l‖²,   W_l = [V_l b_l]
///     g_l = (1/n) Σ δ_l a_{l−1}ᵀ + l2 V_l,   G_l = (1/n) Σ a_l a_lᵀ
///
/// Nothing of the samples' size is kept: a tile's a_l and δ_l live in the workspace of their thread. Weights and gradients are one flat
/// column, laid out by `Network.parameters(_:of:)`.
package struct GradientPass: ~Copyable {
  package let network: Network
  package let partition: Partition
  /// How δ comes about.
  package let propagation: Propagation
  /// This rank's chunks, by global number.
  private let ownChunks: Range<Int>
  /// a_0, the data over a row of ones. Not owned.
  private let a0: Tile<Float>
  /// y, d_L × n. Not owned.
  private let y: Tile<Float>

  /// Two messages: δ_l a_{l−1}ᵀ and the loss; the same, and a_l a_lᵀ for l = 1 … L−1.
  private var sums: Layers<LayerSums>
  /// Whether the one output of a net with one hidden layer lets the factors of δ_1 = h'(z_1) ∘ (B_2 δ_2) be taken apart: the rows'
  /// B_2 from the sum, the samples' δ_2 into the inputs. Then Σ δ_1 a_0ᵀ is B_2 ∘ Σ h'(z_1) (δ_2 a_0)ᵀ, and no δ_1 is stored.
  private let isFactored: Bool
  /// V_2 then, zeros up to the end of its last vector, and B_2.
  private let outputRow, rowFactors: Matrix<Float>
  /// W_l, and what δ_l is multiplied by on its way to δ_{l−1}, l = 2 … L, as products read them.
  private let weights, backward: Layers<Panels>
  private let team: ThreadTeam
  private let workspaces: [PassWorkspace]
  /// u and v, for that propagation.
  package let multipliers: Multipliers?
  /// Seconds in reductions.
  package private(set) var reducing = 0.0
  /// What all passes together cost.
  package private(set) var work = SweepWork()
  /// Of the last pass: Σ ℓ, then for each hidden layer ‖a_l − h(z_l)‖² and ‖h(z_l)‖², where constraints are let go.
  private var scalars = ExactSum(count: 1)
  /// Chunks of this pass that this rank owns, in order. Kept so that a pass allocates nothing.
  private var chunks: [Int] = []

  /// Samples a tile: few enough that a tile's a_l and δ_l stay in the second-level cache, the same on every machine, since the loss is rounded
  /// once a tile.
  private static let tileColumns = 64
  /// The two messages of `sums`.
  private static let (withoutGrams, withGrams) = (0, 1)

  /// - Parameters:
  ///   - a0: (d_0 + 1) × n, this rank's samples over a row of ones. Must outlive this value.
  ///   - y: d_L × n, their targets. Must outlive this value.
  ///   - threads: how many threads share this rank's chunks. The bits don't depend on it.
  package static func make(
    _ network: Network, a0: Tile<Float>, y: Tile<Float>, partition: Partition, rank: Int, threads: Int,
    propagation: Propagation = .gradient
  ) throws -> GradientPass {
    GradientPass(
      network, a0, y, partition, rank: rank, team: try ThreadTeam(count: threads), propagation)
  }

  private init(
    _ network: Network, _ a0: Tile<Float>, _ y: Tile<Float>, _ partition: Partition, rank: Int,
    team: ThreadTeam, _ propagation: Propagation
  ) {
    let threads = team.count
    let (L, d) = (network.L, network.widths)
    let range = partition.range(of: rank)
    precondition(a0.rows == d[0] + 1 && a0.columns == range.count, "a_0 is \(a0.rows) × \(a0.columns)")
    precondition(y.rows == d[L] && y.columns == range.count, "y is \(y.rows) × \(y.columns)")
    isFactored =
      L == 2 && d[2] == 1 && d[1] >= Panels.fewRows && propagation != .multipliers
      && !SumLayout.isTransposed(rows: d[1], columns: network.inputs(1))
    outputRow = Matrix(rows: paddedRows(d[L - 1]), columns: 1)
    rowFactors = Matrix(rows: d[L - 1], columns: 1)
    let isFactored = isFactored
    let products = (1...L).map { l in l == 1 && isFactored ? LayerSum.slopes(1) : .deltas(l) }
    let grams = (1..<L).map { LayerSum.gram($0) }
    self.network = network
    self.partition = partition
    self.propagation = propagation
    self.a0 = a0
    self.y = y
    self.team = team
    ownChunks =
      range.isEmpty
      ? 0..<0
      : range.lowerBound / partition.chunk..<(range.upperBound + partition.chunk - 1) / partition.chunk
    let scalars = 2 * L - 1
    sums = Layers(0..<2) { i in
      LayerSums(
        (i == 0 ? [] : grams) + products, network, partition, threads: threads, scalars: scalars)
    }
    multipliers = propagation == .multipliers ? Multipliers(network, samples: range.count) : nil
    weights = Layers(1..<L + 1) { l in Panels(rows: d[l], columns: network.inputs(l)) }
    backward = Layers(2..<max(L + 1, 2)) { l in Panels(rows: d[l - 1], columns: d[l]) }
    let hasMultipliers = propagation == .multipliers
    workspaces = (0..<threads).map { _ in
      PassWorkspace(network, columns: Self.tileColumns, hasMultipliers: hasMultipliers)
    }
  }

  /// f and g over the samples of a block. Collective; one reduction, rarely more.
  ///
  /// - Parameters:
  ///   - gradient: overwritten by g, as long as `w`.
  ///   - w: all weights.
  ///   - block: which chunks; the same on every rank.
  ///   - l2: the weight of ½ ‖V‖².
  ///   - hasGrams: whether G_1 … G_{L−1} come along; `withGram` gives them.
  /// - Returns: f.
  /// - Throws: a numerical `Failure`, the same on all ranks, when a sum is not finite.
  package mutating func evaluate(
    _ gradient: borrowing Matrix<Float>, at w: borrowing Matrix<Float>, over block: Block, l2: Double,
    hasGrams: Bool = false, _ ranks: borrowing Communicator
  ) throws -> Double {
    try setWeights(w)
    chunks.removeAll(keepingCapacity: true)
    block.forEachChunk(of: partition) { if ownChunks.contains($0) { chunks.append($0) } }
    let message = hasGrams ? Self.withGrams : Self.withoutGrams
    var isDone = false
    while !isDone {
      for workspace in workspaces { workspace.scalars.clear() }
      let isMeasuring = sums[message].isMeasuring
      visitChunks(message, isMeasuring)
      if !isMeasuring { multipliers?.forgetFactors() }
      let start = monotonicSeconds()
      isDone = try sums[message].reduce(adding: workspaces.map(\.scalars), ranks)
      reducing += monotonicSeconds() - start
    }
    let samples = block.samples(of: partition)
    addWork(samples, message)
    scalars = sums[message].scalars
    return scalars[0] / Double(samples) + setGradient(gradient, w, samples: samples, l2: l2, message)
  }

  /// The same, but NaN where a sum is not finite: for methods that try steps which may be too long. Collective.
  package mutating func evaluateIfFinite(
    _ gradient: borrowing Matrix<Float>, at w: borrowing Matrix<Float>, over block: Block, l2: Double,
    hasGrams: Bool = false, _ ranks: borrowing Communicator
  ) throws -> Double {
    do {
      return try evaluate(gradient, at: w, over: block, l2: l2, hasGrams: hasGrams, ranks)
    } catch NumericalError.notFinite {
      return .nan
    }
  }

  /// ‖a_l − h(m_l)‖ / ‖h(m_l)‖ in the last pass, where there are multipliers.
  package func residual(_ l: Int) -> Double {
    let (residual, norm) = (scalars[2 * l - 1], scalars[2 * l])
    return norm > 0 ? (residual / norm).squareRoot() : 0
  }

  /// Seconds of adding up the sums, the mean over the threads.
  package var summing: Double { workspaces.reduce(0) { $0 + $1.summing } / Double(workspaces.count) }

  /// Gives `body` n G_l, l = 1 … L−1, of the last pass with `hasGrams`: the upper triangle.
  package func withGram(_ l: Int, _ body: (borrowing Matrix<Double>) throws -> Void) rethrows {
    try sums[Self.withGrams].withTotal(.gram(l), body)
  }

  /// W_l and the matrices of the way back, in the order in which products read them. Local.
  private func setWeights(_ w: borrowing Matrix<Float>) throws {
    if isFactored { outputRow.base.update(from: network.parameters(2, of: w).base, count: network.widths[1]) }
    for l in 1...network.L {
      let W = network.parameters(l, of: w).columns(0..<network.inputs(l))
      weights[l].assign(W)
      guard l > 1 else { continue }
      let V = W.columns(0..<network.widths[l - 1])
      let r: Double
      switch propagation {
      case .gradient:
        if isFactored {
          rowFactors.base.update(from: V.base, count: V.columns)
        } else {
          backward[l].assign(transposed: V)
        }
        continue
      case .updates(_, let ratio): r = ratio
      case .multipliers: r = multipliers.map { $0.beta[l - 1] / $0.beta[l] } ?? 1
      }
      // By name: a temporary would be gone before its entries are read.
      let inverse = try rightInverse(V, r: r)
      if isFactored { rowFactors.assign(inverse) } else { backward[l].assign(inverse.all) }
    }
  }

  /// All tiles of the pass's chunks. The threads share the chunks. Local.
  private func visitChunks(_ message: Int, _ isMeasuring: Bool) {
    let chunks = chunks
    team.run { thread in
      for k in chunks.count * thread / team.count..<chunks.count * (thread + 1) / team.count {
        let first = (chunks[k] - ownChunks.lowerBound) * partition.chunk
        let range = first..<min(first + partition.chunk, a0.columns)
        for columns in Cuts(range, length: Self.tileColumns) {
          let kept = isMeasuring ? multipliers?.numbers(columns) : nil
          visit(columns, workspaces[thread], message, thread)
          if let kept { multipliers?.restore(columns, kept) }
        }
        sums[message].closeChunk(thread: thread)
      }
    }
  }

  /// Forward, back, and the sums. Local.
  private func visit(_ columns: Range<Int>, _ workspace: PassWorkspace, _ message: Int, _ thread: Int) {
    if isFactored { return visitFactored(columns, workspace, message, thread) }
    let (L, n) = (network.L, columns.count)
    func inputs(_ l: Int) -> Tile<Float> {
      (l == 0 ? a0.columns(columns) : workspace.a[l].columns(0..<n)).rows(0..<network.inputs(l + 1))
    }
    func delta(_ l: Int) -> Tile<Float> { workspace.delta[l].columns(0..<n).rows(0..<network.widths[l]) }
    // z_l = W_l a_{l−1}, a_l = h(z_l)
    for l in 1..<L {
      let a = workspace.a[l].columns(0..<n)
      if multipliers == nil {
        network.activation.apply(a.rows(0..<network.widths[l]), weights[l], inputs(l - 1))
      } else {
        let z = workspace.outputs(l, n)
        weights[l].multiply(z, inputs(l - 1))
        network.activation.apply(a.rows(0..<network.widths[l]), z)
      }
      a.fillRow(network.widths[l], with: 1)
    }
    // δ_L
    weights[L].multiply(delta(L), inputs(L - 1))
    let y = y.columns(columns)
    if let multipliers {
      workspace.add(network.loss.value(delta(L), y: y), to: 0)
      workspace.step(multipliers, columns, network.loss, delta(L), y: y)
      stepBack(multipliers, columns, workspace, delta: delta)
    } else {
      switch propagation {
      case .updates(let beta, _): workspace.step(network.loss, delta(L), y: y, beta: beta)
      default: workspace.add(network.loss.derivative(delta(L), y: y), to: 0)
      }
      // δ_{l−1} = h'(z_{l−1}) ∘ B_l δ_l
      for l in stride(from: L, to: 1, by: -1) {
        let a = workspace.a[l - 1].columns(0..<n).rows(0..<network.widths[l - 1])
        network.activation.multiplySlope(delta(l - 1), backward[l], delta(l), a: a)
      }
    }
    workspace.sum(sums[message], thread, a: inputs, z: delta)
  }

  /// The same where δ_1 is not stored: z_2 comes from the registers that hold a_1, and the sum takes h'(z_1) as it loads a_1. Local.
  private func visitFactored(_ columns: Range<Int>, _ workspace: PassWorkspace, _ message: Int, _ thread: Int)
  {
    let (d, n) = (network.widths[1], columns.count)
    let a0 = a0.columns(columns).rows(0..<network.inputs(1))
    let a = workspace.a[1].columns(0..<n).rows(0..<network.inputs(2))
    let delta = workspace.delta[2].columns(0..<n)
    network.activation.apply(
      a.rows(0..<d), weights[1], a0,
      output: (UnsafePointer(outputRow.base), network.bias ? weights[2].row(0)[d] : 0),
      m: delta.asColumn.base,
      work: workspace.partials.base)
    if network.bias { a.fillRow(d, with: 1) }
    if case .updates(let beta, _) = propagation {
      workspace.step(network.loss, delta, y: y.columns(columns), beta: beta)
    } else {
      workspace.add(network.loss.derivative(delta, y: y.columns(columns)), to: 0)
    }
    let scaled = workspace.scaled.columns(0..<n).rows(0..<a0.rows)
    for j in 0..<n {
      let (to, from, factor) = (scaled.column(j), a0.column(j), delta.column(j)[0])
      for i in 0..<a0.rows { to[i] = factor * from[i] }
    }
    workspace.sum(sums[message], thread, a: { $0 == 0 ? a0 : a }, z: { $0 == 1 ? scaled : delta })
  }

  /// v_l, u_l and δ_l of the hidden layers, from the last on: new v_l = B_{l+1} (δ_{l+1} + V v_l), and `Multipliers.updateHidden`. Local.
  private func stepBack(
    _ multipliers: Multipliers, _ columns: Range<Int>, _ workspace: PassWorkspace,
    delta: (Int) -> Tile<Float>
  ) {
    let n = columns.count
    for l in stride(from: network.L - 1, to: 0, by: -1) {
      let (next, pull) = (delta(l + 1), workspace.pull(network.widths[l + 1], n))
      for j in 0..<n { pull.column(j).update(from: next.column(j), count: next.rows) }
      weights[l + 1].multiply(pull, multipliers.scaled(l, columns), isAdded: true)
      backward[l + 1].multiply(delta(l), pull)
      let (residual, norm) = multipliers.updateHidden(
        l, delta(l), columns, m: workspace.outputs(l, n), network.activation)
      workspace.add(residual, to: 2 * l - 1)
      workspace.add(norm, to: 2 * l)
    }
  }

  /// g from the sums. Local. Returns ½ l2 ‖V‖².
  private func setGradient(
    _ gradient: borrowing Matrix<Float>, _ w: borrowing Matrix<Float>, samples: Int, l2: Double,
    _ message: Int
  ) -> Double {
    var penalty = 0.0
    let scale = (multipliers == nil ? 1 : -1) / Double(samples)
    for l in 1...network.L {
      // β_l ‖z_l + u_l − W a‖² against ½ l2 ‖V‖²: the least squares' share of the decay.
      let share = multipliers.map { 1 / (2 * $0.beta[l]) } ?? 1
      let (g, W) = (network.parameters(l, of: gradient), network.parameters(l, of: w))
      let kind = l == 1 && isFactored ? LayerSum.slopes(1) : .deltas(l)
      sums[message].withTotal(kind) { sum in
        for j in 0..<sum.columns {
          let (to, from, weights) = (g.column(j), sum.base + j * sum.rows, W.column(j))
          let decay = j < network.widths[l - 1] ? share * l2 : 0
          if case .slopes = kind {
            for i in 0..<sum.rows {
              to[i] = Float(scale * Double(rowFactors.base[i]) * from[i] + decay * Double(weights[i]))
            }
          } else {
            for i in 0..<sum.rows { to[i] = Float(scale * from[i] + decay * Double(weights[i])) }
          }
        }
        // The column of the bias where there is none.
        for j in sum.columns..<g.columns { g.column(j).update(repeating: 0, count: g.rows) }
      }
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
      work.flops += n * Double((multipliers == nil ? 2 : 4) * network.widths[l] * network.widths[l - 1])
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

extension LayerSums {
  /// Reduces the sums and, along with them, the total of what the threads have.
  fileprivate mutating func reduce(adding all: [ExactSum], _ ranks: borrowing Communicator) throws -> Bool {
    scalars.clear()
    for one in all { scalars.add(one) }
    return try reduce(over: ranks)
  }
}

/// Vᵀ (V Vᵀ + r I)⁻¹, of V with fewer rows or fewer columns.
private func rightInverse(_ V: Tile<Float>, r: Double) throws -> Matrix<Float> {
  let given = Matrix<Double>(rows: V.rows, columns: V.columns)
  for j in 0..<V.columns {
    for i in 0..<V.rows { given[i, j] = Double(V.column(j)[i]) }
  }
  let isWide = V.rows <= V.columns
  let d = min(V.rows, V.columns)
  let G = Matrix<Double>(rows: d, columns: d)
  multiply(
    G.all, given.all, given.all, transposeA: isWide ? .none : .transposed,
    transposeB: isWide ? .transposed : .none)
  let system = try Cholesky(of: G, ridge: r)
  // (Vᵀ V + r I)⁻¹ Vᵀ is the same matrix: the smaller system serves.
  let inverse = system.inverse()
  let exact = Matrix<Double>(rows: V.columns, columns: V.rows)
  if isWide {
    multiply(exact.all, given.all, inverse.all, transposeA: .transposed)
  } else {
    multiply(exact.all, inverse.all, given.all, transposeB: .transposed)
  }
  let result = Matrix<Float>(rows: V.columns, columns: V.rows)
  for k in 0..<exact.count { result.base[k] = Float(exact.base[k]) }
  return result
}
