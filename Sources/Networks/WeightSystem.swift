import LinearAlgebra
import MPI
import Sums

/// X ← X (G + ρI)⁻¹ for a Gram matrix G, whatever its rank: the weight step of Algorithm 1. Taking another G reuses
/// the memory.
package struct WeightSystem: ~Copyable {
  private var factor: Cholesky<Double>
  /// G⁺ where no factor could be had; else empty.
  private var pseudoInverse = Matrix<Double>(rows: 0, columns: 0)
  /// What the log should say, if anything.
  package private(set) var event: String? = nil

  /// Room for a system of d equations.
  package init(size d: Int) { factor = Cholesky(size: d) }

  /// Factors G + ρI with ρ = ridge · trace(G) / d. Local, the same on every rank; d³/3 flops.
  ///
  /// A dead unit or a constant feature makes G singular. If the factorisation fails, ρ is raised tenfold, from 10⁻⁸
  /// to at most 10⁻³ of the mean diagonal; then the pseudo-inverse takes over. algorithm.md §4.
  ///
  /// - Parameters:
  ///   - G: d × d, the upper triangle.
  ///   - ridge: relative to the mean of G's diagonal; 0 for none.
  /// - Throws: `LAPACKError` when G is not finite.
  package mutating func take(_ G: Tile<Double>, ridge: Double) throws {
    let mean = meanDiagonal(G)
    if pseudoInverse.rows > 0 { pseudoInverse = Matrix(rows: 0, columns: 0) }
    event = nil
    var relative = ridge
    repeat {
      do {
        // G's entries come from single-precision products.
        try factor.factor(G, ridge: relative * mean, smallestPivot: 1e-7)
        if relative != ridge { event = "ridge raised to \(relative)" }
        return
      } catch { relative = max(relative * 10, 1e-8) }
    } while relative <= max(1e-3, ridge)
    var identity = Matrix<Double>(rows: G.rows, columns: G.rows)
    for i in 0..<G.rows { identity[i, i] = 1 }
    try multiplyByPseudoInverse(identity.mutableAll, of: G, tolerance: 1e-7)
    pseudoInverse = identity
    event = "singular system, pseudo-inverse used"
  }

  /// X ← X (G + ρI)⁻¹, or X G⁺. Local; 2 m d² flops.
  package func solveFromRight(_ X: inout Matrix<Double>) {
    guard pseudoInverse.rows > 0 else { return factor.solveFromRight(X.mutableAll) }
    let given = X.copy()
    multiply(X.mutableAll, given.all, pseudoInverse.all)
  }
}

/// The mean of a square matrix's diagonal, what a ridge is relative to.
package func meanDiagonal(_ G: Tile<Double>) -> Double {
  var mean = 0.0
  for i in 0..<G.rows { mean += G.column(i)[i] / Double(G.rows) }
  return mean
}

extension Samples {
  /// Σ a_0 a_0ᵀ over all samples, the upper triangle, with the row of ones if there is a bias. It never changes.
  /// Collective; two reductions.
  ///
  /// - Throws: `NumericalError.notFinite`, the same on all ranks.
  package func gram(_ network: Network, over ranks: borrowing Communicator) throws -> Matrix<Double> {
    var sums = LayerSums([.gram(0)], network, partition)
    func inputs(_ columns: Range<Int>) -> Tile<Float> { tile(columns).a0.rows(0..<network.inputs(1)) }
    try sums.take(partition, over: ranks, a: { inputs($1) }, z: { inputs($1) })
    return Matrix(copying: sums.total(.gram(0)))
  }
}

/// W ← z aᵀ (a aᵀ + ρI)⁻¹ for given inputs and outputs: the weight step by itself. Collective; two reductions.
/// Without a bias the last column of W stays as it is.
///
/// - Parameters:
///   - W: d_1 × (d_0 + 1), overwritten.
///   - samples: their targets are z.
///   - inputs: a of a tile, over a row of ones where there is a bias; `LayerSums.takenColumns` samples at the most,
///     valid until the next call.
///   - network: of one layer, with these widths.
///   - ridge: ρ relative to the mean of the Gram matrix's diagonal.
/// - Throws: `NumericalError`, the same on all ranks, if a sum is not finite.
package func fitWeights(
  _ W: inout Matrix<Float>, _ network: Network, _ samples: borrowing Samples, ridge: Double,
  over ranks: borrowing Communicator, inputs: (SampleTile) -> Tile<Float>
) throws {
  var sums = LayerSums([.gram(0), .outputs(1)], network, samples.partition)
  try sums.take(
    samples.partition, over: ranks, a: { inputs(samples.tile($1)) }, z: { samples.tile($1).y })
  var solved = Matrix(copying: sums.total(.outputs(1)))
  var system = WeightSystem(size: network.inputs(1))
  try system.take(sums.total(.gram(0)), ridge: ridge)
  system.solveFromRight(&solved)
  let to = W.mutableBase
  for k in 0..<solved.count { to[k] = Float(solved.base[k]) }
}

extension Network {
  /// The bytes of W, of the sums for it and of the systems solved for it: the same on every rank.
  public func systemBytes(threads: Int) -> Double {
    (1...L).reduce(0) { bytes, l in
      let gram = Double(inputs(l)) * Double(inputs(l))
      let product = Double(widths[l]) * Double(inputs(l))
      // Of each sum: for each thread a chunk's in single precision and the message, then the total in double; the
      // factor of the system; W itself, in double, and made ready twice.
      return bytes + Double(12 * threads + 8) * (gram + product) + 8 * gram + 44 * product
    }
  }
}
