import LinearAlgebra
import Sums

/// What a pass of a net with one hidden layer and one output keeps in place of δ_1.
///
/// δ_1 = h'(z_1) ∘ (B_2 δ_2): the rows' B_2 can be taken out of the sum, the samples' δ_2 into the inputs. Then
/// Σ δ_1 a_0ᵀ = B_2 ∘ Σ h'(z_1) (δ_2 a_0)ᵀ, and δ_1 is never stored. z_2 comes from the registers that hold a_1.
final class OneOutput {
  private let network: Network
  /// V_2, zeros up to the end of its last vector; b_2; B_2.
  private var v: Matrix<Float>
  private var b: Float = 0
  private var rowFactors: Matrix<Float>
  private let rooms: [Room]

  /// What a thread works with.
  private final class Room {
    /// δ_2 a_0 of a tile.
    var scaled: Matrix<Float>
    /// Sixteen numbers a sample.
    var partials = Matrix<Float>(rows: laneCount, columns: PassTile.mostColumns)

    init(_ network: Network) {
      scaled = Matrix(rows: paddedRows(network.widths[0] + 1), columns: PassTile.mostColumns)
    }
  }

  /// Whether a network is such a net, and its sum is computed with the hidden units down the columns.
  static func fits(_ network: Network) -> Bool {
    let d = network.widths
    return network.L == 2 && d[2] == 1 && d[1] >= Panels.fewRows
      && !SumLayout.isTransposed(rows: d[1], columns: network.inputs(1))
  }

  init(_ network: Network, threads: Int) {
    let d = network.widths
    self.network = network
    v = Matrix(rows: paddedRows(d[1]), columns: 1)
    rowFactors = Matrix(rows: d[1], columns: 1)
    rooms = (0..<threads).map { _ in Room(network) }
  }

  /// B_2, d_1 numbers.
  var B: UnsafePointer<Float> { rowFactors.base }

  /// Takes W_2 and B_2. Local.
  func assign(_ W: Tile<Float>, _ B: BackwardMatrix) {
    let d = network.widths[1]
    v.mutableBase.update(from: W.base, count: d)
    b = network.bias ? W.column(d)[0] : 0
    switch B {
    // One row, or one column: d numbers one after the other.
    case .matrix(let numbers), .transposed(let numbers):
      rowFactors.mutableBase.update(from: numbers.base, count: d)
    }
  }

  /// a_1 = h(W_1 a_0), and z_2 = W_2 a_1 where δ_2 will stand. Local.
  func passForward(_ tile: PassTile, _ W: borrowing Panels) {
    network.activation.apply(
      tile.activations(1), W, tile.inputs(0), output: (v.base, b), m: tile.delta(2).asColumn.base,
      work: rooms[tile.thread].partials.mutableBase, slopes: tile.slopes(1))
    if network.bias { tile.setOnes(1) }
  }

  /// δ_2 a_0, (d_0 + 1) × n or d_0 × n. Local; valid until the thread's next tile.
  func scaledInputs(_ tile: PassTile) -> Tile<Float> {
    let (a0, delta) = (tile.inputs(0), tile.delta(2))
    let scaled = rooms[tile.thread].scaled.mutableColumns(0..<a0.columns).rows(0..<a0.rows)
    for j in 0..<a0.columns {
      let (to, from, factor) = (scaled.column(j), a0.column(j), delta.column(j)[0])
      for i in 0..<a0.rows { to[i] = factor * from[i] }
    }
    return Tile(scaled)
  }
}
