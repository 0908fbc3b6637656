import Basics
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
/// a_{l−1}ᵀ (…)⁻¹.
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
  private var u: Layers<Matrix<Float>>
  /// v_l over a row of zeros, l = 1 … L−1, padded, so that W_{l+1} multiplies it without the bias.
  private var v: Layers<Matrix<Float>>
  /// β_l, l = 1 … L; γ_l = β_l. The first entry has no meaning.
  private(set) var beta: [Double]
  /// What u_l and v_l are still to be multiplied by, since β_l changed.
  private var factors: [Float]
  /// ‖a_l − h(m_l)‖ / ‖h(m_l)‖ in the last pass, l = 1 … L−1.
  private(set) var residuals: [Double]

  /// l = 2 … L, and Vᵀ (V Vᵀ + r I)⁻¹ in single precision.
  private var inverses: Layers<RightInverse>
  private var matrices: Layers<Matrix<Float>>
  /// A thread's room for a tile.
  private let rooms: OwnedArray<Room>

  private struct Room: ~Copyable {
    /// z_L, what it is drawn to, and a λ of zeros.
    var z, center, lambda: Matrix<Float>
    /// z_{l+1} + u_{l+1} − m_{l+1} + V v_l.
    var pull: Matrix<Float>
    var scratch: Matrix<Double>
    /// The tile's multipliers before a pass that only measures.
    var kept: Matrix<Float>

    init(_ network: Network, columns: Int) {
      let d = network.widths[network.L]
      z = Matrix(rows: d, columns: columns)
      center = Matrix(rows: d, columns: columns)
      lambda = Matrix(rows: d, columns: columns)
      pull = Matrix(rows: paddedRows(network.widths.dropFirst().max() ?? 1), columns: columns)
      scratch = Matrix(rows: 4 * d, columns: 1)
      kept = Matrix(rows: Multipliers.rows(network), columns: columns)
    }
  }

  /// All multipliers 0.
  ///
  /// - Parameter samples: how many this rank has.
  init(_ network: Network, samples: Int, threads: Int, columns: Int = 64) {
    let (L, d) = (network.L, network.widths)
    self.network = network
    u = Layers(1..<L + 1) { l in
      Matrix(rows: l < L ? paddedRows(d[l]) : network.lastRows, columns: samples)
    }
    v = Layers(1..<L) { l in Matrix(rows: paddedRows(d[l] + 1), columns: samples) }
    beta = [Double](repeating: 1, count: L + 1)
    factors = [Float](repeating: 1, count: L + 1)
    residuals = [Double](repeating: 0, count: L)
    inverses = Layers(2..<max(L + 1, 2)) { l in RightInverse(outputs: d[l], activations: d[l - 1]) }
    matrices = Layers(2..<max(L + 1, 2)) { l in Matrix(rows: d[l - 1], columns: d[l]) }
    rooms = OwnedArray(0..<threads) { _ in Room(network, columns: columns) }
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

  /// Sets β_l for the next pass. Local, the same on every rank.
  func setPenalty(_ l: Int, _ new: Double) {
    factors[l] = Float(beta[l] / new)
    beta[l] = new
  }
}

// MARK: The way back

extension Multipliers {
  func backward(_ l: Int, V: Tile<Float>) throws -> BackwardMatrix {
    .matrix(try inverses[l].take(V, r: beta[l - 1] / beta[l], layer: l, into: &matrices[l]))
  }

  /// z_L, u_L and δ_L.
  func setLastDelta(_ tile: PassTile) -> Double {
    let (L, n, thread) = (network.L, tile.columns.count, tile.thread)
    let (delta, factor) = (tile.delta(L), factors[L])
    let value = network.loss.value(Tile(delta), y: tile.y)
    let u = u[L].shared.columns(tile.columns).rows(0..<delta.rows)
    let (z, center) = (rooms[thread].z.shared.columns(0..<n), rooms[thread].center.shared.columns(0..<n))
    for j in 0..<n {
      let (to, m, u) = (center.column(j), delta.column(j), u.column(j))
      for i in 0..<delta.rows { to[i] = m[i] - factor * u[i] }
    }
    network.loss.minimise(
      z, m: Tile(center), y: tile.y, lambda: rooms[thread].lambda.columns(0..<n), beta: Float(beta[L]),
      scratch: rooms[thread].scratch.shared.elements)
    for j in 0..<n {
      let (m, z, u) = (delta.column(j), z.column(j), u.column(j))
      for i in 0..<delta.rows {
        let new = factor * u[i] + (z[i] - m[i])
        u[i] = new
        m[i] -= z[i] + new
      }
    }
    return value
  }

  /// v_l, u_l and δ_l, with the a_l and z_l in between: in terms of δ_{l+1} the new v_l is Vᵀ (V Vᵀ + r I)⁻¹ (V v_l
  /// − δ_{l+1}).
  func setDelta(_ l: Int, _ tile: PassTile, W: borrowing Panels, B: borrowing Panels) {
    let (n, next, delta) = (tile.columns.count, tile.delta(l + 1), tile.delta(l))
    let rows = next.rows < Panels.fewRows ? next.rows : paddedRows(next.rows)
    let pull = MutableTile(
      base: rooms[tile.thread].pull.shared.base, rows: next.rows, columns: n, stride: rows)
    for j in 0..<n {
      let (to, from) = (pull.column(j), next.column(j))
      for i in 0..<next.rows { to[i] = -from[i] }
    }
    W.multiply(pull, Tile(scaledV(l, tile.columns)), isAdded: true)
    B.multiply(delta, Tile(pull))
    let (residual, norm) = network.activation.updateHidden(
      delta: delta, m: Tile(tile.outputs(l)), u: u[l].shared.columns(tile.columns),
      v: v[l].shared.columns(tile.columns), factor: factors[l])
    tile.room.scalars.add(residual, to: 2 * l - 1)
    tile.room.scalars.add(norm, to: 2 * l)
  }

  /// v_l of a tile over its row of zeros, on the scale of β_l. Local.
  private func scaledV(_ l: Int, _ columns: Range<Int>) -> MutableTile<Float> {
    let v = v[l].shared.columns(columns).rows(0..<network.inputs(l + 1))
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
    var to = rooms[tile.thread].kept.shared.base
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
    for l in 1...network.L { body(u[l].shared.columns(columns).base, u[l].rows * columns.count) }
    for l in 1..<network.L { body(v[l].shared.columns(columns).base, v[l].rows * columns.count) }
  }
}
