import Basics
import LinearAlgebra
import MPI
import Sums

/// Room for one tile of a thread, and its sums of single numbers.
final class PassWorkspace {
  /// a_l over a row of ones, l = 1 … L−1.
  let a: Layers<Matrix<Float>>
  /// δ_l, l = 1 … L; z_L first.
  let delta: Layers<Matrix<Float>>
  /// z_l, l = 1 … L−1, where constraints are let go.
  private let z: Layers<Matrix<Float>>
  /// δ a_0, where the one output's δ is taken into the inputs, and sixteen numbers a sample to work with.
  let scaled, partials: Matrix<Float>
  /// Σ ℓ, then the residuals of the hidden layers.
  var scalars: ExactSum
  private let widths: [Int]
  /// A layer's δ and V v.
  private let work: Matrix<Float>
  /// Three of d_L rows: z_L, what it is drawn to, and zeros.
  private let last, center, zeros: Matrix<Float>
  /// Seconds of adding up sums so far.
  var summing = 0.0
  private let scratch: Matrix<Double>

  init(_ network: Network, columns: Int, hasMultipliers: Bool) {
    let (L, d) = (network.L, network.widths)
    widths = d
    a = Layers(1..<L) { l in Matrix(rows: paddedRows(d[l] + 1), columns: columns) }
    delta = Layers(1..<L + 1) { l in
      Matrix(rows: l < L ? paddedRows(d[l]) : Multipliers.rows(d[l]), columns: columns)
    }
    let kept = hasMultipliers ? columns : 0
    z = Layers(1..<L) { l in Matrix(rows: paddedRows(d[l]), columns: kept) }
    work = Matrix(rows: paddedRows(d.dropFirst().max() ?? 1), columns: kept)
    scaled = Matrix(rows: paddedRows(d[0] + 1), columns: columns)
    partials = Matrix(rows: laneCount, columns: columns)
    scalars = ExactSum(count: 2 * L - 1)
    last = Matrix(rows: d[L], columns: columns)
    center = Matrix(rows: d[L], columns: columns)
    zeros = Matrix(rows: d[L], columns: columns)
    scratch = Matrix(rows: 4 * d[L], columns: 1)
  }

  func add(_ value: Double, to k: Int) { scalars.add(value, to: k) }

  /// Adds a tile to the sums of the chunk at hand: see `ChunkSums.add`. Local.
  func sum(_ sums: borrowing LayerSums, _ thread: Int, a: (Int) -> Tile<Float>, z: (Int) -> Tile<Float>) {
    let start = monotonicSeconds()
    sums.add(thread: thread, a: a, z: z)
    summing += monotonicSeconds() - start
  }

  func outputs(_ l: Int, _ n: Int) -> Tile<Float> { z[l].columns(0..<n).rows(0..<widths[l]) }

  /// Room for d × n numbers.
  func pull(_ d: Int, _ n: Int) -> Tile<Float> {
    Tile(base: work.base, rows: d, columns: n, stride: Multipliers.rows(d))
  }

  /// δ ← z_L − argmin_z [ℓ(z, y) + β ‖z − z_L‖²], from z_L in δ; adds ℓ(z_L, y). Local.
  func step(_ loss: Loss, _ delta: Tile<Float>, y: Tile<Float>, beta: Float) {
    add(loss.value(delta, y: y), to: 0)
    let z = last.columns(0..<delta.columns)
    loss.minimise(
      z, m: delta, y: y, lambda: zeros.columns(0..<delta.columns), beta: beta, scratch: scratch.elements)
    for j in 0..<delta.columns {
      let (to, from) = (delta.column(j), z.column(j))
      for i in 0..<delta.rows { to[i] -= from[i] }
    }
  }

  /// u_L and δ_L, from z_L in δ. Local.
  func step(
    _ multipliers: Multipliers, _ columns: Range<Int>, _ loss: Loss, _ delta: Tile<Float>, y: Tile<Float>
  ) {
    let tile = 0..<delta.columns
    multipliers.updateLast(
      delta, columns, y: y, loss, z: last.columns(tile), center: center.columns(tile),
      zeros: zeros.columns(tile), scratch: scratch.elements)
  }
}
