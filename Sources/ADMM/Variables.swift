import LinearAlgebra
import Networks

/// The variables of Algorithm 1 that are of the samples' size, a sample a column; this rank's part.
///
/// a_l is a function of z_l, z_{l+1} and W_{l+1}: it is made in the tile where it is needed, twice a sweep, and kept
/// only where that costs more than to store and load it.
package final class Variables {
  /// z_l, d_l × n, l = 1 … L; padded to whole vectors for l < L.
  package let z: Layers<SharedMatrix>
  /// λ, d_L × n.
  package let lambda: SharedMatrix
  /// a_l of the next sweep over a row of ones, (d_l + 1) × n, padded, l = 1 … L−1; empty where it is not stored.
  package let a: Layers<SharedMatrix>
  /// Whether a_l is stored, by l; the entry for 0 has no meaning.
  package let isStored: [Bool]
  /// Whether the tile of a_l has z_{l+1} below it, so that one product brings both sums for W_{l+1}; by l.
  let isStacked: [Bool]

  init(_ network: Network, _ storage: ActivationStorage, samples n: Int) {
    let (L, d) = (network.L, network.widths)
    let isStored = storage.isStored(network)
    self.isStored = isStored
    isStacked = (0..<L).map {
      $0 > 0 && !isStored[$0] && ActivationStep.stacksOutputs(from: d[$0 + 1], to: d[$0])
    }
    z = Layers(1..<L + 1) { l in SharedMatrix(rows: l < L ? paddedRows(d[l]) : d[l], columns: n) }
    lambda = SharedMatrix(rows: d[L], columns: n)
    a = Layers(1..<L) { l in SharedMatrix(rows: paddedRows(d[l] + 1), columns: isStored[l] ? n : 0) }
  }
}
