import LinearAlgebra

extension Network {
  /// W_l with independent N(0, 2 / d_{l−1}) entries and no bias, the same for the same seed. He et al. (2015).
  public func randomWeights(seed: UInt64) -> Layers<Matrix<Float>> {
    Layers(1..<L + 1) { l in
      var W = Matrix<Float>(rows: widths[l], columns: widths[l - 1] + 1)
      let random = Philox(seed: seed, stream: UInt32(1 << 16 + l))
      let scale = (2 / Double(widths[l - 1])).squareRoot()
      for j in 0..<widths[l - 1] {
        for i in 0..<widths[l] { W[i, j] = Float(scale * random.normal(i, j)) }
      }
      return W
    }
  }
}
