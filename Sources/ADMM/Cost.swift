import MPI

/// What a sweep costs.
public struct SweepCost: Sendable {
  /// How many reductions.
  public var reductions: Int
  /// How many bytes they move a rank.
  public var bytes: Int
  /// Useful floating-point operations a sample: symmetric products count half.
  public var flopsPerSample: Int

  /// Useful floating-point operations of a sweep over all samples of all ranks.
  public func flops(samples: Int) -> Double { Double(flopsPerSample) * Double(samples) }
}

extension Taylor {
  /// The message sizes and reductions of one sweep, and its useful floating-point operations a sample. algorithm.md §5, §6.
  public var cost: SweepCost {
    var cost = SweepCost(reductions: 0, bytes: 0, flopsPerSample: 0)
    for l in messages.indices {
      cost.reductions += 1
      cost.bytes += messages[l].bytes
    }
    for l in 1...L {
      // W_l a_{l−1} and z_l a_{l−1}ᵀ
      cost.flopsPerSample += 4 * network.widths[l] * network.inputs(l)
      guard l < L else { continue }
      let d = network.inputs(l + 1)
      cost.flopsPerSample += d * (d + 1)
      cost.flopsPerSample += ActivationStep.flops(from: network.widths[l + 1], to: network.widths[l])
    }
    return cost
  }
}

extension Network {
  /// The bytes of the variables of Algorithm 1 for so many samples: a_l, z_l, λ, y, without the data.
  public func stateBytes(samples: Int) -> Int {
    let numbers = (1...L).reduce(0) { $0 + widths[$1] + ($1 < L ? widths[$1] + 1 : 0) } + 2 * widths[L]
    return numbers * samples * MemoryLayout<Float>.size
  }

  /// The bytes of W, of the sums for it and of the systems solved for it, the same on every rank.
  public var systemBytes: Int {
    (1...L).reduce(0) { bytes, l in
      let gram = inputs(l) * inputs(l)
      let product = widths[l] * inputs(l)
      // Of each sum: a chunk's in single precision, the total in double, the message; then the factor of the system.
      return bytes + 20 * (gram + product) + 16 * gram
    }
  }
}
