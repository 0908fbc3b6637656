import LinearAlgebra
import MPI

extension Taylor {
  /// The start values of a_l, z_l and λ, their sums, and from them W_2 … W_L, which the first a-updates need. Collective.
  mutating func begin(over ranks: borrowing Communicator) throws {
    for l in 1..<L {
      for j in 0..<a0.columns { a[l][network.widths[l], j] = 1 }
    }
    switch settings.start {
    case .gaussian: fillWithNormals(firstSample: partition.range(of: ranks.rank).lowerBound)
    case .forward: passForward()
    }
    for l in messages.indices {
      sum(l)
      try reduceSums(l, over: ranks)
      if l > 1 { try updateWeights(l) }
    }
    seconds = SweepSeconds()
  }

  /// Every entry of a_l and z_l is N(0, 1), decided by seed, layer, row and global sample: Taylor et al. (2016), section 5.
  private func fillWithNormals(firstSample: Int) {
    for l in 1...L {
      let random = Philox(seed: settings.seed, stream: UInt32(l))
      for j in 0..<a0.columns {
        for i in 0..<network.widths[l] {
          let (outputs, activations) = random.normals(i, firstSample + j)
          z[l][i, j] = Float(outputs)
          if l < L { a[l][i, j] = Float(activations) }
        }
      }
    }
  }

  /// W_l has independent N(0, 2 / d_{l−1}) entries and no bias (He et al., 2015); z_l = W_l a_{l−1}, a_l = h(z_l).
  private mutating func passForward() {
    W = network.randomWeights(seed: settings.seed)
    for chunk in chunks {
      for tile in tiles(of: chunk) {
        for l in 1...L {
          multiply(z[l].columns(tile), weights(l), inputs(l - 1, tile))
          if l < L {
            network.activation.apply(a[l].columns(tile).rows(0..<network.widths[l]), z[l].columns(tile))
          }
        }
      }
    }
  }
}

extension Network {
  /// W_l with independent N(0, 2 / d_{l−1}) entries and no bias, the same for the same seed. He et al. (2015).
  public func randomWeights(seed: UInt64) -> Layers<Matrix<Float>> {
    Layers(1..<L + 1) { l in
      let W = Matrix<Float>(rows: widths[l], columns: widths[l - 1] + 1)
      let random = Philox(seed: seed, stream: UInt32(1 << 16 + l))
      let scale = (2 / Double(widths[l - 1])).squareRoot()
      for j in 0..<widths[l - 1] {
        for i in 0..<widths[l] { W[i, j] = Float(scale * random.normal(i, j)) }
      }
      return W
    }
  }
}
