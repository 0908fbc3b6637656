import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

/// A tile at work: some columns, as many as stay in a core's second-level cache, and where their thread keeps what it needs.
struct TileVisit {
  let columns: Range<Int>
  let workspace: Workspace
}

/// What a thread works with: room for one tile, and what it has measured so far.
final class Workspace {
  let thread: Int
  /// a_l of the tile at hand over a row of ones, where a_l is not stored; else empty. l = 1 … L−1.
  let a: Layers<Matrix<Float>>
  /// For W_l a_{l−1}, and for what an a-update needs.
  let work: Matrix<Float>
  let scratch: Matrix<Double>
  /// What makes a_{L−1} from z_{L−1} where it is not stored, a number a sample.
  let residual: Matrix<Float>
  /// What the next tile will need.
  let upcoming: UnsafeMutableBufferPointer<Prefetch>
  /// Of each hidden layer, for the tile at hand; nil if nobody asks.
  var residuals: [LayerResiduals?]
  /// Seconds in sums since the rank last asked.
  var summing = 0.0
  /// The sums of `Objective`; `isMeasuring` tells whether they are taken.
  var measured: ExactSum
  var largestMultiplier: Float = 0
  var isMeasuring = false

  init(_ network: Network, thread: Int, columns: Int, isStored: (Int) -> Bool) {
    self.thread = thread
    residual = Matrix(rows: 1, columns: columns)
    upcoming = .allocate(capacity: 2 * network.L)
    upcoming.initialize(repeating: Prefetch())
    let L = network.L
    a = Layers(1..<L) { l in
      Matrix(rows: paddedRows(network.widths[l] + 1), columns: isStored(l) ? 0 : columns)
    }
    work = Matrix(rows: 2 * paddedRows(network.widths.dropFirst().max() ?? 1), columns: columns)
    scratch = Matrix(rows: 4 * network.widths[L], columns: 1)
    residuals = [LayerResiduals?](repeating: nil, count: L - 1)
    measured = ExactSum(count: Objective.sumCount(L))
  }

  deinit { upcoming.deallocate() }

  /// Asks for a part of what the next tile will need, if any is left.
  func prefetch() {
    for i in upcoming.indices where upcoming[i].advance() { return }
  }
}

extension Taylor {
  /// Calls `body` with every tile of this rank, chunk by chunk, and ends the chunks' sums. The threads share the chunks. Local.
  func forEachTile(_ body: (TileVisit) -> Void) {
    let chunks = (a0.columns + partition.chunk - 1) / partition.chunk
    team.run { thread in
      let own = chunks * thread / team.count..<chunks * (thread + 1) / team.count
      for chunk in own { visit(chunk, workspaces[thread], body) }
    }
  }

  /// Calls `body` with every tile of one of this rank's chunks, and ends its sums. Local.
  func visit(_ chunk: Int, _ workspace: Workspace, _ body: (TileVisit) -> Void) {
    let first = chunk * partition.chunk
    for columns in Cuts(first..<min(first + partition.chunk, a0.columns), length: tileColumns) {
      workspace.beginTile()
      announce(columns.upperBound..<min(columns.upperBound + tileColumns, a0.columns), workspace)
      body(TileVisit(columns: columns, workspace: workspace))
      workspace.endTile()
    }
    let start = monotonicSeconds()
    sums.closeChunk(thread: workspace.thread)
    workspace.summing += monotonicSeconds() - start
  }

  /// The seconds that the threads have spent in sums since this was last asked, on average. Local.
  func secondsOfSums() -> Double {
    defer { for workspace in workspaces { workspace.summing = 0 } }
    return workspaces.reduce(0) { $0 + $1.summing } / Double(workspaces.count)
  }

  /// Says which columns come next.
  private func announce(_ columns: Range<Int>, _ workspace: Workspace) {
    workspace.upcoming[0] = Prefetch(a0.columns(columns))
    workspace.upcoming[1] = Prefetch(z[L].columns(columns))
    for l in 1..<L {
      workspace.upcoming[2 * l] = Prefetch(z[l].columns(columns))
      if isStored[l] { workspace.upcoming[2 * l + 1] = Prefetch(storedActivations[l].columns(columns)) }
    }
  }

  /// a_l of a tile over a row of ones, l = 1 … L−1; where it is not stored, as the last step on the tile left it.
  func activations(_ l: Int, _ tile: TileVisit) -> Tile<Float> {
    let all =
      isStored[l]
      ? storedActivations[l].columns(tile.columns) : tile.workspace.a[l].columns(0..<tile.columns.count)
    return all.rows(0..<network.widths[l] + 1)
  }

  /// What W_{l+1} multiplies: a_l of a tile, over the row of ones if there is a bias.
  func inputs(_ l: Int, _ tile: TileVisit) -> Tile<Float> {
    (l == 0 ? a0.columns(tile.columns) : activations(l, tile)).rows(0..<network.inputs(l + 1))
  }

  /// z_l of a tile.
  func outputs(_ l: Int, _ tile: TileVisit) -> Tile<Float> {
    z[l].columns(tile.columns).rows(0..<network.widths[l])
  }

  /// W_l without the bias column where there is no bias.
  func weights(_ l: Int) -> Tile<Float> { W[l].columns(0..<network.inputs(l)) }

  /// How many columns a tile has: as many as a quarter of a core's second-level cache holds of all that a visit touches, within bounds. A
  /// result's bits do not depend on it.
  package static func tileColumns(_ network: Network) -> Int {
    let numbers = network.inputs(1) + network.widths.dropFirst().reduce(0) { $0 + 3 * paddedRows($1) }
    let columns = secondLevelCacheBytes() / 4 / (MemoryLayout<Float>.size * numbers)
    return min(max(columns / 8 * 8, 64), 256)
  }
}
