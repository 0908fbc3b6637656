import LinearAlgebra
import MPI
import Networks

/// What a sweep costs.
public struct SweepCost: Sendable {
  /// How many reductions.
  public var reductions: Int
  /// How many bytes they move a rank.
  public var bytes: Int
  /// Useful floating-point operations of a sample's updates, W_l a_{l−1} and the a-updates.
  public var updateFlopsPerSample: Int
  /// Those of its sums, z_l a_{l−1}ᵀ and a_l a_lᵀ; symmetric products count half.
  public var sumFlopsPerSample: Int

  /// Useful floating-point operations of a sweep over all samples of all ranks.
  public func flops(samples: Int) -> Double {
    Double(updateFlopsPerSample + sumFlopsPerSample) * Double(samples)
  }

  /// The same of the sums alone.
  public func sumFlops(samples: Int) -> Double { Double(sumFlopsPerSample) * Double(samples) }
}

extension Taylor {
  public var work: SweepWork {
    var work = SweepWork()
    let samples = partition.samples
    work.flops = Double(sweeps) * cost.flops(samples: samples)
    work.sumFlops = Double(sweeps) * cost.sumFlops(samples: samples)
    work.reductions = sweeps * cost.reductions
    work.bytes = sweeps * cost.bytes
    work.samples = Double(sweeps) * Double(samples)
    return work
  }

  /// The message sizes and reductions of one sweep, and its useful floating-point operations a sample. algorithm.md §5, §6.
  public var cost: SweepCost {
    var cost = SweepCost(reductions: 1, bytes: sums.bytes, updateFlopsPerSample: 0, sumFlopsPerSample: 0)
    for l in 1...L {
      let product = 2 * network.widths[l] * network.inputs(l)
      cost.updateFlopsPerSample += product
      cost.sumFlopsPerSample += product
      guard l < L else { continue }
      let d = network.inputs(l + 1)
      cost.sumFlopsPerSample += d * (d + 1)
      cost.updateFlopsPerSample += ActivationStep.flops(from: network.widths[l + 1], to: network.widths[l])
    }
    return cost
  }
}
