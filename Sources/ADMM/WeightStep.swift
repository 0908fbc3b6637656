import LinearAlgebra
import MPI

/// X ← X (G + ρI)⁻¹ for a Gram matrix G, whatever its rank.
struct WeightSystem: ~Copyable {
  private enum Factor: ~Copyable {
    case cholesky(Cholesky)
    case singular(Matrix<Double>)
  }

  private let factor: Factor
  /// What the log should say, if anything.
  let event: String?

  /// Factors G + ρI with ρ = ridge · trace(G) / d. Local, the same on every rank; d³/3 flops.
  ///
  /// A dead unit or a constant feature makes G singular. If the factorisation fails, ρ is raised tenfold, from 10⁻⁸ to at most 10⁻³
  /// of the mean diagonal; then the pseudo-inverse takes over. algorithm.md §4.
  ///
  /// - Parameters:
  ///   - G: d × d, the upper triangle.
  ///   - ridge: relative to the mean of G's diagonal; 0 for none.
  init(_ G: borrowing Matrix<Double>, ridge: Double) {
    let d = G.rows
    var mean = 0.0
    for i in 0..<d { mean += G[i, i] / Double(d) }
    var relative = ridge
    while true {
      // G's entries come from single-precision products.
      if let factor = try? Cholesky(of: G, ridge: relative * mean, smallestPivot: 1e-7) {
        self.factor = .cholesky(factor)
        event = relative == ridge ? nil : "ridge raised to \(relative)"
        return
      }
      relative = max(relative * 10, 1e-8)
      guard relative <= max(1e-3, ridge) else { break }
    }
    factor = .singular(G.copy())
    event = "singular system, pseudo-inverse used"
  }

  /// Sums, reduces and factors a_0 a_0ᵀ + ρ I. Collective; two reductions.
  ///
  /// - Parameter a0: this rank's samples, with the row of ones if there is a bias.
  init(
    ofData a0: Tile<Float>, _ network: Network, ridge: Double, _ partition: Partition,
    over ranks: borrowing Communicator
  ) throws {
    var sums = SharedSums([.gram(0)], network, partition)
    try sums.take(partition, over: ranks, a: { _ in a0 }, z: { _ in a0 })
    self = sums.withTotal(.gram(0)) { WeightSystem($0, ridge: ridge) }
  }

  /// X ← X (G + ρI)⁻¹, or X G⁺. Local; 2 m d² flops.
  func solveFromRight(_ X: borrowing Matrix<Double>) throws {
    switch factor {
    case .cholesky(let factor): factor.solveFromRight(X.all)
    case .singular(let G): try multiplyByPseudoInverse(X.all, of: G, tolerance: 1e-7)
    }
  }
}

/// W ← z aᵀ (a aᵀ + ρI)⁻¹ for given inputs and outputs: the weight step by itself. Collective; two reductions.
///
/// - Parameters:
///   - W: d_1 × (d_0 + 1), overwritten.
///   - outputs: d_1 × n, z of this rank's samples.
///   - inputs: (d_0 + 1) × n, a over a row of ones.
///   - network: of one layer, with these widths and a bias.
///   - ridge: ρ relative to the mean of the Gram matrix's diagonal.
/// - Throws: a numerical `Failure`, shared by all ranks, if a sum is not finite.
public func fitWeights(
  _ W: borrowing Matrix<Float>, outputs: Tile<Float>, inputs: Tile<Float>, _ network: Network, ridge: Double,
  _ partition: Partition, over ranks: borrowing Communicator
) throws {
  var sums = SharedSums([.gram(0), .product(1)], network, partition)
  try sums.take(partition, over: ranks, a: { _ in inputs }, z: { _ in outputs })
  let solved = Matrix<Double>(rows: W.rows, columns: W.columns)
  sums.withTotal(.product(1)) { solved.assign($0) }
  try sums.withTotal(.gram(0)) { try WeightSystem($0, ridge: ridge).solveFromRight(solved) }
  for k in 0..<solved.count { W.base[k] = Float(solved.base[k]) }
}
