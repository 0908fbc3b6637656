import LinearAlgebra
import MPI
import Networks

/// A network whose hidden layers are not trained: W_l random for l < L, W_L ← argmin Σ_n ‖y − W_L a_{L−1}‖² + ρ
/// ‖W_L‖².
///
/// What training the hidden layers gains, shows beside this. Rahimi & Recht (2008); an "extreme learning machine" is
/// the same.
public struct RandomFeatures: ~Copyable {
  /// A network that predicts as this model does: with the square loss.
  public let network: Network
  /// Its matrices, d_l × (d_{l−1} + 1).
  public let W: Layers<Matrix<Float>>

  /// Fits the last layer. Collective; two reductions, two forward passes and (d_{L−1} + d_L) d_{L−1} multiply-adds a
  /// sample.
  ///
  /// - Parameters:
  ///   - shape: gives the widths, the activation and whether there is a bias.
  ///   - seed: decides W_l, l < L, as in `Network.randomWeights`.
  ///   - ridge: ρ relative to the mean square of a feature of the last layer.
  /// - Throws: `NumericalError`, the same on all ranks, if the sums are not finite.
  public static func fit(
    _ shape: Network, _ samples: borrowing Samples, seed: UInt64, ridge: Double = 1e-4,
    over ranks: borrowing Communicator
  ) throws -> RandomFeatures {
    let network = Network(
      widths: shape.widths, activation: shape.activation, loss: .square, bias: shape.bias)
    let L = network.L
    var W = network.randomWeights(seed: seed)
    let last = Network(
      widths: [network.widths[L - 1], network.widths[L]], activation: .identity, loss: .square,
      bias: network.bias)
    var features = HiddenFeatures(network, W)
    W[L].fill(0)
    try fitWeights(&W[L], last, samples, ridge: ridge, over: ranks) { features($0) }
    return RandomFeatures(network: network, W: W)
  }

  private init(network: Network, W: consuming Layers<Matrix<Float>>) {
    self.network = network
    self.W = W
  }
}

/// a_{L−1} over a row of ones, some samples at a time.
private struct HiddenFeatures: ~Copyable {
  private let activation: Activation
  /// d_{L−1}, and with the row of ones if there is a bias.
  private let width, inputs: Int
  private var pass: ForwardPass?
  private var room: Matrix<Float>
  /// Which samples the room has.
  private var known: Range<Int>?

  init(_ network: Network, _ W: borrowing Layers<Matrix<Float>>) {
    let (L, d) = (network.L, network.widths[network.L - 1])
    let columns = LayerSums.takenColumns
    activation = network.activation
    width = d
    inputs = network.inputs(L)
    if L > 1 {
      // z_{L−1} is the output of the network without its last layer.
      let hidden = Network(
        widths: Array(network.widths.dropLast()), activation: activation, loss: network.loss,
        bias: network.bias)
      pass = ForwardPass(hidden, W, columns: columns)
    } else {
      pass = nil
    }
    room = Matrix(rows: paddedRows(d + 1), columns: columns)
  }

  /// Of a tile; valid until the next call.
  mutating func callAsFunction(_ tile: SampleTile) -> Tile<Float> {
    guard pass != nil else { return tile.a0.rows(0..<inputs) }
    let a = room.mutableColumns(0..<tile.columns.count)
    if known != tile.columns { set(a, tile) }
    return Tile(a).rows(0..<inputs)
  }

  private mutating func set(_ a: MutableTile<Float>, _ tile: SampleTile) {
    let z = a.rows(0..<width)
    pass?(z, tile.a0)
    activation.apply(z, Tile(z))
    a.fillRow(z.rows, with: 1)
    known = tile.columns
  }
}
