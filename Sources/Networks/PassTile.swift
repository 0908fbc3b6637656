import LinearAlgebra
import Sums

/// A tile on its way forward and back: some of a rank's samples, as many as stay in a core's second-level cache.
package struct PassTile {
  /// The most samples of a tile: few enough that its a_l and δ_l stay in the second-level cache, the same on every
  /// machine, since the loss is rounded once a tile.
  package static let mostColumns = 64

  private let samples: SampleTile
  /// The number of the thread that works on it.
  package let thread: Int
  package let room: TileRoom

  init(_ samples: SampleTile, thread: Int, room: TileRoom) {
    self.samples = samples
    self.thread = thread
    self.room = room
  }

  /// Which of the rank's samples.
  package var columns: Range<Int> { samples.columns }

  /// y, d_L × n.
  package var y: Tile<Float> { samples.y }

  package var network: Network { room.network }

  /// a_l, d_l × n, l = 1 … L−1.
  package func activations(_ l: Int) -> MutableTile<Float> {
    room.a(l, columns.count).rows(0..<network.widths[l])
  }

  /// What W_{l+1} multiplies: a_l, over the row of ones if there is a bias.
  package func inputs(_ l: Int) -> Tile<Float> {
    (l == 0 ? samples.a0 : Tile(room.a(l, columns.count))).rows(0..<network.inputs(l + 1))
  }

  /// Puts the row of ones below a_l.
  func setOnes(_ l: Int) { room.a(l, columns.count).fillRow(network.widths[l], with: 1) }

  /// δ_l, d_l × n, l = 1 … L. In the place of δ_L stands z_L first.
  package func delta(_ l: Int) -> MutableTile<Float> { room.delta(l, columns.count) }

  /// z_l, d_l × n, where the rule keeps it.
  package func outputs(_ l: Int) -> MutableTile<Float> { room.z(l, columns.count) }

  /// Where h'(z_l) is kept, if it can't be read off a_l.
  func slopes(_ l: Int) -> MutableTile<Float>? {
    network.activation.keepsSlopes ? room.slopes(l, columns.count) : nil
  }

  /// What h'(z_l) is read off: itself or a_l.
  package func kept(_ l: Int) -> Tile<Float> { Tile(slopes(l) ?? activations(l)) }
}

/// Room for one tile of a thread, and its sums of single numbers.
package final class TileRoom {
  package let network: Network
  /// Σ ℓ, then what the rule adds.
  package var scalars: ExactSum
  private var storedA, storedDelta, storedZ, storedSlopes: Layers<Matrix<Float>>

  init(_ network: Network, keepsOutputs: Bool, scalars: Int) {
    let (L, d, columns) = (network.L, network.widths, PassTile.mostColumns)
    self.network = network
    self.scalars = ExactSum(count: scalars)
    func hidden(_ isNeeded: Bool) -> Layers<Matrix<Float>> {
      Layers(1..<L) { l in Matrix(rows: paddedRows(d[l]), columns: isNeeded ? columns : 0) }
    }
    storedA = Layers(1..<L) { l in Matrix(rows: paddedRows(d[l] + 1), columns: columns) }
    storedDelta = Layers(1..<L + 1) { l in
      Matrix(rows: l < L ? paddedRows(d[l]) : network.lastRows, columns: columns)
    }
    storedZ = hidden(keepsOutputs)
    storedSlopes = hidden(network.activation.keepsSlopes)
  }

  /// a_l of n samples over a row of ones.
  func a(_ l: Int, _ n: Int) -> MutableTile<Float> {
    storedA[l].mutableColumns(0..<n).rows(0..<network.widths[l] + 1)
  }

  func delta(_ l: Int, _ n: Int) -> MutableTile<Float> {
    storedDelta[l].mutableColumns(0..<n).rows(0..<network.widths[l])
  }

  func z(_ l: Int, _ n: Int) -> MutableTile<Float> {
    storedZ[l].mutableColumns(0..<n).rows(0..<network.widths[l])
  }

  func slopes(_ l: Int, _ n: Int) -> MutableTile<Float> {
    storedSlopes[l].mutableColumns(0..<n).rows(0..<network.widths[l])
  }
}

extension Network {
  /// How many rows arrays of the last layer have: few outputs lie in one piece, more are padded.
  package var lastRows: Int { widths[L] < Panels.fewRows ? widths[L] : paddedRows(widths[L]) }
}
