import LinearAlgebra
import Networks
import Sums

/// A tile at work: some columns of all variables, as many as stay in a core's second-level cache.
struct TaylorTile {
  private let samples: SampleTile
  /// The number of the thread that works on it.
  let thread: Int
  let room: TaylorRoom
  private let variables: Variables

  init(_ samples: SampleTile, thread: Int, _ room: TaylorRoom, _ variables: Variables) {
    self.samples = samples
    self.thread = thread
    self.room = room
    self.variables = variables
  }

  private var network: Network { room.network }

  /// Which of the rank's samples.
  var columns: Range<Int> { samples.columns }

  /// y, d_L × n.
  var y: Tile<Float> { samples.y }

  /// z_l, d_l × n.
  func z(_ l: Int) -> MutableTile<Float> {
    variables.z[l].ownColumns(columns).rows(0..<network.widths[l])
  }

  /// λ, d_L × n.
  var lambda: MutableTile<Float> { variables.lambda.ownColumns(columns) }

  /// a_l over a row of ones, l = 1 … L−1; where it is not stored, as the last step on the tile left it.
  func a(_ l: Int) -> MutableTile<Float> {
    let all =
      variables.isStored[l]
      ? variables.a[l].ownColumns(columns) : room.a[l].mutableColumns(0..<columns.count)
    return all.rows(0..<network.widths[l] + 1)
  }

  /// What W_{l+1} multiplies: a_l, over the row of ones if there is a bias.
  func inputs(_ l: Int) -> Tile<Float> { (l == 0 ? samples.a0 : Tile(a(l))).rows(0..<network.inputs(l + 1)) }

  /// Room for W_l a_{l−1}, d_l × n: `product` and `recallActivations` fill it, and return it.
  func m(_ l: Int) -> MutableTile<Float> {
    let rows = network.widths[l]
    return MutableTile(
      base: room.work.mutableBase, rows: rows, columns: columns.count,
      stride: rows < Panels.fewRows ? rows : paddedRows(rows))
  }
}

/// What a thread works with: room for one tile, and what it has measured so far.
final class TaylorRoom {
  let network: Network
  /// a_l of the tile at hand over a row of ones, where a_l is not stored; else empty. l = 1 … L−1.
  var a: Layers<Matrix<Float>>
  /// For W_l a_{l−1}, and for what an a-update needs.
  var work: Matrix<Float>
  var scratch: Matrix<Double>
  /// What makes a_{L−1} from z_{L−1} where it is not stored, a number a sample.
  var residual: Matrix<Float>
  /// What the next tile will need.
  private let upcoming: UnsafeMutableBufferPointer<Prefetch>
  /// What the sweep measures, if anybody asks.
  var measures: TaylorMeasures

  init(_ network: Network, columns: Int, isStored: (Int) -> Bool) {
    let L = network.L
    self.network = network
    a = Layers(1..<L) { l in
      Matrix(rows: paddedRows(network.widths[l] + 1), columns: isStored(l) ? 0 : columns)
    }
    work = Matrix(rows: 2 * paddedRows(network.widths.dropFirst().max() ?? 1), columns: columns)
    scratch = Matrix(rows: 4 * network.widths[L], columns: 1)
    residual = Matrix(rows: 1, columns: columns)
    upcoming = .allocate(capacity: 2 * L)
    upcoming.initialize(repeating: Prefetch())
    measures = TaylorMeasures(L)
  }

  deinit { upcoming.deallocate() }

  /// Says which columns come next.
  func announce(_ columns: Range<Int>, _ variables: Variables, _ samples: borrowing Samples) {
    let L = network.L
    upcoming[0] = Prefetch(samples.tile(columns).a0)
    upcoming[1] = Prefetch(variables.z[L].columns(columns))
    for l in 1..<L {
      upcoming[2 * l] = Prefetch(variables.z[l].columns(columns))
      if variables.isStored[l] { upcoming[2 * l + 1] = Prefetch(variables.a[l].columns(columns)) }
    }
  }

  /// Asks for a part of what the next tile will need, if any is left.
  func prefetch() {
    for i in upcoming.indices where upcoming[i].advance() { return }
  }
}

extension Taylor {
  /// Calls `body` with every tile of some of this rank's chunks, and ends the chunks' sums. The threads share the
  /// chunks. Local.
  func forEachTile(of chunks: [Int], _ samples: borrowing Samples, _ body: (TaylorTile) -> Void) {
    let n = samples.count
    samples.forEachTile(of: chunks, length: tileColumns, on: team) { own, thread in
      let room = rooms[thread]
      let next = own.columns.upperBound
      room.announce(next..<min(next + tileColumns, n), variables, samples)
      room.measures.beginTile()
      body(TaylorTile(own, thread: thread, room, variables))
      room.measures.endTile()
    } endOfChunk: {
      sums.closeChunk(thread: $0)
    }
  }

  /// How many columns a tile has: as many as a quarter of a core's second-level cache holds of all that a visit
  /// touches, within bounds. A result's bits do not depend on it.
  package static func tileColumns(_ network: Network) -> Int {
    let numbers = network.inputs(1) + network.widths.dropFirst().reduce(0) { $0 + 3 * paddedRows($1) }
    let columns = secondLevelCacheBytes() / 4 / (MemoryLayout<Float>.size * numbers)
    return min(max(columns / 8 * 8, 64), 256)
  }
}
