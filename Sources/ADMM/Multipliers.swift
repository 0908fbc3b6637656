import LinearAlgebra
import Networks
import Sums

/// A multiplier on every constraint, in scaled form: u_l for z_l = W_l a_{l−1}, v_l for a_l = h(z_l). As a rule of
/// the way back:
///
///     z_L ← argmin_z ℓ(z, y) + β_L ‖z − (m_L − u_L)‖²
///     a_l ← t + Vᵀ (V Vᵀ + r I)⁻¹ (z_{l+1} + u_{l+1} − b − V t),   t = h(m_l) − v_l,
///         W_{l+1} = [V b],   r = γ_l / β_{l+1}
///     v_l ← v_l + a_l − h(m_l)
///     z_l ← argmin_z γ_l ‖a_l + v_l − h(z)‖² + β_l ‖z − (m_l − u_l)‖²
///     u_l ← u_l + z_l − m_l,   δ_l = m_l − (z_l + u_l)
///
/// with m_l = W_l a_{l−1} of the network's own forward pass. W_l is then fitted to z_l + u_l: a step along −Σ δ_l
/// a_{l−1}ᵀ (…)⁻¹. The functions below have these formulae step by step; what is compiled for each activation is
/// `Activation.updateHidden` (Networks/Kernels/MultiplierUpdate.swift).
///
/// Boyd et al., "Distributed Optimization and Statistical Learning via ADMM" (2011), §3.1.1. With β_l the penalty of
/// both constraints of a layer, 2 β_l u_l is the Lagrange multiplier of z_l, λ for l = L; when a penalty changes,
/// its u and v shrink by the same factor.
///
/// Multipliers persist from pass to pass. Where sums turn out not to fit the grids that they had, which is rare and
/// the same on any number of ranks, they take a second step at the same weights.
final class Multipliers: BackwardRule {
  static let keepsOutputs = true
  static let productsBack = 2

  /// Σ ℓ, then for each hidden layer ‖a_l − h(m_l)‖² and ‖h(m_l)‖².
  static func scalars(_ network: Network) -> Int { 2 * network.L - 1 }

  private let network: Network
  /// u_l, d_l × n, l = 1 … L, padded; this rank's samples.
  private let u: Layers<SharedMatrix>
  /// v_l over a row of zeros, l = 1 … L−1, padded, so that W_{l+1} multiplies it without the bias.
  private let v: Layers<SharedMatrix>
  /// β_l, l = 1 … L; γ_l = β_l. The first entry has no meaning.
  private(set) var beta: [Double]
  /// What u_l and v_l are still to be multiplied by, since β_l changed.
  private var factors: [Float]
  /// ‖a_l − h(m_l)‖ / ‖h(m_l)‖ in the last pass, l = 1 … L−1.
  private(set) var residuals: [Double]

  /// Vᵀ (V Vᵀ + r I)⁻¹ of W_2 … W_L.
  private var inverses: RightInverses
  /// One a thread.
  private let rooms: [Room]

  /// What a thread works with: room for a tile.
  private final class Room {
    let lastStep: LossStep
    /// m_L − u_L.
    var center: Matrix<Float>
    /// V v_l − δ_{l+1}.
    var pull: Matrix<Float>
    /// The tile's multipliers before a pass that only measures.
    var kept: Matrix<Float>

    init(_ network: Network) {
      let columns = PassTile.mostColumns
      lastStep = LossStep(network)
      center = Matrix(rows: network.widths[network.L], columns: columns)
      pull = Matrix(rows: paddedRows(network.widths.dropFirst().max() ?? 1), columns: columns)
      kept = Matrix(rows: Multipliers.rows(network), columns: columns)
    }
  }

  /// All multipliers 0.
  ///
  /// - Parameter samples: how many this rank has.
  init(_ network: Network, samples: Int, threads: Int) {
    let (L, d) = (network.L, network.widths)
    self.network = network
    u = Layers(1..<L + 1) { l in
      SharedMatrix(rows: l < L ? paddedRows(d[l]) : network.lastRows, columns: samples)
    }
    v = Layers(1..<L) { l in SharedMatrix(rows: paddedRows(d[l] + 1), columns: samples) }
    beta = [Double](repeating: 1, count: L + 1)
    factors = [Float](repeating: 1, count: L + 1)
    residuals = [Double](repeating: 0, count: L)
    inverses = RightInverses(network)
    rooms = (0..<threads).map { _ in Room(network) }
  }

  /// The bytes for so many samples.
  static func bytesPerSample(_ network: Network) -> Double {
    Double(MemoryLayout<Float>.size * rows(network))
  }

  /// How many numbers u_1 … u_L and v_1 … v_{L−1} have a sample, padding included.
  private static func rows(_ network: Network) -> Int {
    let (L, d) = (network.L, network.widths)
    return (1..<L).reduce(network.lastRows) { $0 + paddedRows(d[$1]) + paddedRows(d[$1] + 1) }
  }

  /// All multipliers 0 again. Local.
  func clear() {
    for l in 1...network.L { u[l].clear() }
    for l in 1..<network.L { v[l].clear() }
    for l in factors.indices { (factors[l], beta[l]) = (1, 1) }
  }

  /// Sets β_l for the next pass. Local, the same on every rank.
  func setPenalty(_ l: Int, _ new: Double) {
    factors[l] = Float(beta[l] / new)
    beta[l] = new
  }
}

// MARK: The way back

extension Multipliers {
  /// B_l = Vᵀ (V Vᵀ + r I)⁻¹,  W_l = [V b],  r = γ_{l−1} / β_l,  γ_{l−1} = β_{l−1}
  func backward(_ l: Int, V: Tile<Float>) throws -> BackwardMatrix {
    .matrix(try inverses.take(l, V: V, r: beta[l - 1] / beta[l]))
  }

  /// z_L, u_L and δ_L, which takes the place of m_L.
  func setLastDelta(_ tile: PassTile) -> Double {
    let (L, room) = (network.L, rooms[tile.thread])
    let (delta, factor) = (tile.delta(L), factors[L])
    let loss = network.loss.value(Tile(delta), y: tile.y)
    let u = u[L].ownColumns(tile.columns).rows(0..<delta.rows)
    // c = m_L − u_L
    let center = room.center.mutableColumns(0..<delta.columns)
    for j in 0..<delta.columns {
      let (to, m, u) = (center.column(j), delta.column(j), u.column(j))
      for i in 0..<delta.rows { to[i] = m[i] - factor * u[i] }
    }
    // z_L ← argmin_z ℓ(z, y) + β_L ‖z − c‖²
    let z = room.lastStep.minimise(m: Tile(center), y: tile.y, beta: Float(beta[L]))
    // u_L ← u_L + z_L − m_L,  δ_L = m_L − (z_L + u_L)
    for j in 0..<delta.columns {
      let (m, z, u) = (delta.column(j), z.column(j), u.column(j))
      for i in 0..<delta.rows {
        let new = factor * u[i] + (z[i] - m[i])
        u[i] = new
        m[i] -= z[i] + new
      }
    }
    return loss
  }

  /// a_l, v_l, z_l, u_l and δ_l from δ_{l+1} = m_{l+1} − (z_{l+1} + u_{l+1}).
  ///
  /// With m_{l+1} = V h(m_l) + b and t = h(m_l) − v_l the bracket of the a-update, z_{l+1} + u_{l+1} − b − V t, is
  /// p = V v_l − δ_{l+1}. So a_l = t + B p, and the new v_l = v_l + a_l − h(m_l) is B p itself.
  func setDelta(_ l: Int, _ tile: PassTile, W: borrowing Panels, B: borrowing Panels) {
    let (next, delta) = (tile.delta(l + 1), tile.delta(l))
    // p = V v_l − δ_{l+1}
    let stride = next.rows < Panels.fewRows ? next.rows : paddedRows(next.rows)
    let pull = MutableTile(
      base: rooms[tile.thread].pull.mutableBase, rows: next.rows, columns: next.columns, stride: stride)
    for j in 0..<next.columns {
      let (to, from) = (pull.column(j), next.column(j))
      for i in 0..<next.rows { to[i] = -from[i] }
    }
    W.multiply(pull, Tile(scaledV(l, tile.columns)), isAdded: true)
    // (new v_l) = B p, which stands where δ_l will
    B.multiply(delta, Tile(pull))
    // a_l = h(m_l) − (old v_l) + (new v_l)
    // z_l ← argmin_z γ_l ‖a_l + (new v_l) − h(z)‖² + β_l ‖z − (m_l − u_l)‖²
    // u_l ← u_l + z_l − m_l,  v_l ← (new v_l),  δ_l = m_l − (z_l + u_l)
    let (residual, norm) = network.activation.updateHidden(
      delta: delta, m: Tile(tile.outputs(l)), u: u[l].ownColumns(tile.columns),
      v: v[l].ownColumns(tile.columns), factor: factors[l])
    // ‖a_l − h(m_l)‖², ‖h(m_l)‖²
    tile.room.scalars.add(residual, to: 2 * l - 1)
    tile.room.scalars.add(norm, to: 2 * l)
  }

  /// v_l of a tile over its row of zeros, on the scale of β_l. Local.
  private func scaledV(_ l: Int, _ columns: Range<Int>) -> MutableTile<Float> {
    let v = v[l].ownColumns(columns).rows(0..<network.inputs(l + 1))
    guard factors[l] != 1 else { return v }
    let factor = Lanes(repeating: factors[l])
    for j in 0..<v.columns {
      for i in stride(from: 0, to: v.rows, by: laneCount) {
        (factor * Lanes(at: v.column(j) + i)).store(at: v.column(j) + i)
      }
    }
    return v
  }

  /// β_l ‖z_l + u_l − W a‖² against ½ l2 ‖V‖²: the least squares' share of the decay.
  func decayShare(_ l: Int) -> Double { 1 / (2 * beta[l]) }

  /// u, v and the penalties on whose scale they are.
  func archive(_ state: any StateArchive) throws {
    for l in 1...network.L { try state.bySample("u\(l)", u[l].own(rows: network.widths[l])) }
    for l in 1..<network.L { try state.bySample("v\(l)", v[l].own(rows: network.widths[l])) }
    try state.list("beta", &beta, count: beta.count)
  }

  func read(_ scalars: ExactSum) {
    for l in 1..<network.L {
      let (residual, norm) = (scalars[2 * l - 1], scalars[2 * l])
      residuals[l] = norm > 0 ? (residual / norm).squareRoot() : 0
    }
  }
}

// MARK: A pass that only measures

extension Multipliers {
  /// Whatever it does to them, a pass that only measures leaves the multipliers as they were.
  func visit(_ tile: PassTile, isMeasuring: Bool, _ body: () -> Void) {
    guard isMeasuring else { return body() }
    var to = rooms[tile.thread].kept.mutableBase
    forEachPiece(tile.columns) { piece, count in
      to.update(from: piece, count: count)
      to += count
    }
    body()
    var from = rooms[tile.thread].kept.base
    forEachPiece(tile.columns) { piece, count in
      piece.update(from: from, count: count)
      from += count
    }
  }

  /// After a pass all multipliers are on the scale of their penalties.
  func endPass(isMeasuring: Bool) {
    guard !isMeasuring else { return }
    for l in factors.indices { factors[l] = 1 }
  }

  /// Columns of u_1 … u_L and v_1 … v_{L−1}, padding included.
  private func forEachPiece(
    _ columns: Range<Int>, _ body: (_ numbers: UnsafeMutablePointer<Float>, _ count: Int) -> Void
  ) {
    for l in 1...network.L { body(u[l].ownColumns(columns).base, u[l].rows * columns.count) }
    for l in 1..<network.L { body(v[l].ownColumns(columns).base, v[l].rows * columns.count) }
  }
}
