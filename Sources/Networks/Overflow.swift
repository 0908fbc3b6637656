import LinearAlgebra
import MPI
import Sums

/// Where a network's forward pass leaves the numbers that single precision can square: sums over samples are made of
/// products.
public struct Overflow: Sendable, Equatable {
  /// The number of the sample among all, from 0, and the rank that has it.
  public let sample, rank: Int
  /// l of z_l; 0 is the data.
  public let layer: Int
  /// Which unit or feature, from 0.
  public let row: Int
  public let value: Float
  /// How many samples leave them.
  public let samples: Int
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
    let (own, count) = ownOverflows(network, W, layers)
    let first = try ranks.min(own?.column ?? Int.max)
    guard first < Int.max else { return nil }
    let rank = try ranks.min(own?.column == first ? ranks.rank : Int.max)
    var found = own.map { [$0.layer, $0.row, Int($0.value.bitPattern)] } ?? []
    try ranks.broadcast(&found, from: rank)
    return Overflow(
      sample: first, rank: rank, layer: found[0], row: found[1],
      value: Float(bitPattern: UInt32(found[2])), samples: try ranks.sum(count))
  }

  private typealias Place = (column: Int, layer: Int, row: Int, value: Float)

  /// The first of this rank's samples, by its global number, and how many there are. Local.
  private func ownOverflows(
    _ network: Network, _ W: borrowing Layers<Matrix<Float>>, _ layers: Int
  ) -> (first: Place?, count: Int) {
    var (first, count) = (Place?.none, 0)
    let length = PassTile.mostColumns
    var outputs = Layers<Matrix<Float>>(1..<layers + 1) { l in
      Matrix(rows: network.widths[l], columns: length)
    }
    var passes = Layers<ForwardPass>(1..<layers + 1) { l in
      ForwardPass(network.first(l), W, columns: length)
    }
    for columns in Cuts(0..<self.count, length: length) {
      let inputs = a0.columns(columns)
      for l in passes.indices { passes[l](outputs[l].mutableColumns(0..<columns.count), inputs) }
      for j in 0..<columns.count {
        var found = Self.place(inputs.rows(0..<featureCount), j, 0)
        for l in outputs.indices where found == nil { found = Self.place(outputs[l].all, j, l) }
        guard let found else { continue }
        count += 1
        let sample = range.lowerBound + columns.lowerBound + j
        if first == nil { first = (sample, found.layer, found.row, found.value) }
      }
    }
    return (first, count)
  }

  /// The first such number of a column. Local.
  private static func place(_ tile: Tile<Float>, _ j: Int, _ layer: Int) -> Place? {
    let largest = Float.greatestFiniteMagnitude.squareRoot()
    let column = UnsafeBufferPointer(start: tile.column(j), count: tile.rows)
    return column.firstIndex { !($0.magnitude <= largest) }.map { (j, layer, $0, column[$0]) }
  }
}

extension Network {
  /// Its first l layers.
  fileprivate func first(_ l: Int) -> Network {
    Network(widths: Array(widths.prefix(l + 1)), activation: activation, loss: loss, bias: bias)
  }
}
