import LinearAlgebra
import MPI

/// Where a network's forward pass leaves the numbers that single precision can square, which is what sums over samples are
/// made of.
public struct Overflow: Sendable, Equatable {
  /// The number of the sample among all, from 0, and the rank that has it.
  public let sample, rank: Int
  /// l of z_l; 0 is the data.
  public let layer: Int
  /// Which unit or feature, from 0.
  public let row: Int
  public let value: Float
}

extension Samples {
  /// The first sample whose features, or whose outputs of a layer, are not finite or too large to be squared; nil where
  /// there is none. Collective.
  ///
  /// - Parameters:
  ///   - W: the weights of `network`.
  ///   - layers: how many layers to look at; 0 for the data alone.
  public func firstOverflow(
    _ network: Network, _ W: borrowing Layers<Matrix<Float>>, layers: Int, over ranks: borrowing Communicator
  ) throws -> Overflow? {
    let own = ownOverflow(network, W, layers)
    let first = try ranks.min(own?.column ?? Int.max)
    guard first < Int.max else { return nil }
    let rank = try ranks.min(own?.column == first ? ranks.rank : Int.max)
    var found = own.map { [$0.layer, $0.row, Int($0.value.bitPattern)] } ?? []
    try ranks.broadcast(&found, from: rank)
    return Overflow(
      sample: first, rank: rank, layer: found[0], row: found[1],
      value: Float(bitPattern: UInt32(found[2])))
  }

  private typealias Place = (column: Int, layer: Int, row: Int, value: Float)

  /// The first of this rank's samples, by its global number. Local.
  private func ownOverflow(
    _ network: Network, _ W: borrowing Layers<Matrix<Float>>, _ layers: Int
  ) -> Place? {
    let length = PassTile.mostColumns
    var outputs = Layers<Matrix<Float>>(1..<layers + 1) { l in
      Matrix(rows: network.widths[l], columns: length)
    }
    var passes = Layers<ForwardPass>(1..<layers + 1) { l in
      ForwardPass(network.first(l), W, columns: length)
    }
    for start in stride(from: 0, to: count, by: length) {
      let columns = start..<Swift.min(start + length, count)
      let inputs = a0.columns(columns)
      var first = place(inputs.rows(0..<featureCount), 0)
      for l in passes.indices {
        let z = outputs[l].mutableColumns(0..<columns.count)
        passes[l](z, inputs)
        if let other = place(Tile(z), l), other.column < first?.column ?? Int.max { first = other }
      }
      if let first { return (range.lowerBound + start + first.column, first.layer, first.row, first.value) }
    }
    return nil
  }

  /// The first column with such a number. Local.
  private func place(_ tile: Tile<Float>, _ layer: Int) -> Place? {
    let largest = Float.greatestFiniteMagnitude.squareRoot()
    for j in 0..<tile.columns {
      let column = UnsafeBufferPointer(start: tile.column(j), count: tile.rows)
      if let i = column.firstIndex(where: { !($0.magnitude <= largest) }) { return (j, layer, i, column[i]) }
    }
    return nil
  }
}

extension Network {
  /// Its first l layers.
  fileprivate func first(_ l: Int) -> Network {
    Network(widths: Array(widths.prefix(l + 1)), activation: activation, loss: loss, bias: bias)
  }
}
