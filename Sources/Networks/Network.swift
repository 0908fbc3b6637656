import LinearAlgebra

/// A feed-forward network: a_0 → W_1 → h → W_2 → … → h → W_L → z_L.
public struct Network: Sendable, Equatable {
  /// d_0 … d_L: features, hidden widths, outputs.
  public let widths: [Int]
  /// h, the same for every hidden layer.
  public let activation: Activation
  /// ℓ, between z_L and the targets.
  public let loss: Loss
  /// Whether a layer's input is extended by a 1, which the last column of W_l multiplies.
  public let bias: Bool

  /// - Precondition: at least d_0 and d_1, all positive.
  public init(widths: [Int], activation: Activation, loss: Loss, bias: Bool) {
    precondition(widths.count >= 2 && widths.allSatisfy { $0 > 0 }, "a network can't have widths \(widths)")
    self.widths = widths
    self.activation = activation
    self.loss = loss
    self.bias = bias
  }

  /// L: how many weight layers.
  public var L: Int { widths.count - 1 }

  /// How many inputs layer l multiplies: d_{l−1}, and 1 more with a bias.
  public func inputs(_ l: Int) -> Int { widths[l - 1] + (bias ? 1 : 0) }

  /// How many weights are trained.
  public var parameterCount: Int { (1...L).reduce(0) { $0 + widths[$1] * inputs($1) } }

  /// W_l for all l, zero: d_l × (d_{l−1} + 1), the last column stays 0 without a bias.
  public func zeroWeights() -> Layers<Matrix<Float>> {
    Layers(1..<L + 1) { l in Matrix(rows: widths[l], columns: widths[l - 1] + 1) }
  }
}

extension Layers where Value == Matrix<Float> {
  /// A second set of matrices with the same entries.
  public func copy() -> Layers { Layers(indices) { self[$0].copy() } }

  /// Overwrites all entries with those of `other`, which has the same shapes.
  public mutating func assign(_ other: borrowing Layers) {
    for l in indices { self[l].assign(other[l]) }
  }
}

/// The network's own output, layer by layer, for a tile of samples at a time.
public struct ForwardPass: ~Copyable {
  private let network: Network
  private let W: Layers<Panels>
  private var a: Layers<Matrix<Float>>

  /// - Parameters:
  ///   - W: one matrix a layer, d_l × (d_{l−1} + 1).
  ///   - columns: how many samples a call may pass at the most.
  public init(_ network: Network, _ W: borrowing Layers<Matrix<Float>>, columns: Int) {
    self.network = network
    self.W = Layers(1..<network.L + 1) { l in
      var panels = Panels(rows: network.widths[l], columns: network.inputs(l))
      panels.assign(W[l].columns(0..<network.inputs(l)))
      return panels
    }
    a = Layers(1..<network.L + 1) { l in Matrix(rows: paddedRows(network.widths[l] + 1), columns: columns) }
  }

  /// z_L ← W_L h(W_{L−1} … h(W_1 a_0)). Local; 2 Σ d_l d_{l−1} n flops. A column's bits don't depend on its
  /// neighbours.
  ///
  /// - Parameters:
  ///   - scores: d_L × n, overwritten.
  ///   - a0: (d_0 + 1) × n, the samples over a row of ones.
  public mutating func callAsFunction(_ scores: MutableTile<Float>, _ a0: Tile<Float>) {
    let L = network.L
    for l in 1...L {
      let input = l == 1 ? a0 : a[l - 1].columns(0..<a0.columns)
      let next = a[l].mutableColumns(0..<a0.columns)
      let output = next.rows(0..<network.widths[l])
      W[l].multiply(output, input.rows(0..<network.inputs(l)))
      if l < L {
        network.activation.apply(output, Tile(output))
        next.fillRow(output.rows, with: 1)
      } else {
        scores.assign(Tile(output))
      }
    }
  }
}
