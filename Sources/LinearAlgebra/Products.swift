import COpenBLAS

/// Whether a factor enters a product as it is or transposed.
public enum Transposition: Sendable {
  /// As it is.
  case none
  /// Transposed.
  case transposed

  var flag: CBLAS_TRANSPOSE { self == .none ? CblasNoTrans : CblasTrans }
}

/// C ← α op(A) op(B) + β C, in single precision. Local; 2 m n k flops.
///
/// - Parameters:
///   - C: m × n, overwritten.
///   - A: m × k, or k × m when `transposeA` is `.transposed`.
///   - B: k × n, or n × k when `transposeB` is `.transposed`.
public func multiply(
  _ C: MutableTile<Float>, _ A: Tile<Float>, _ B: Tile<Float>, transposeA: Transposition = .none,
  transposeB: Transposition = .none, alpha: Float = 1, beta: Float = 0
) {
  let k = checkedDepth(C, A, B, transposeA, transposeB)
  guard C.rows > 0 && C.columns > 0 else { return }
  cblas_sgemm(
    CblasColMajor, transposeA.flag, transposeB.flag, blas(C.rows), blas(C.columns), blas(k), alpha, A.base,
    blas(max(A.stride, 1)), B.base, blas(max(B.stride, 1)), beta, C.base, blas(C.stride))
}

/// C ← α op(A) op(B) + β C, in double precision. Local; 2 m n k flops. Shapes as for single precision.
public func multiply(
  _ C: MutableTile<Double>, _ A: Tile<Double>, _ B: Tile<Double>, transposeA: Transposition = .none,
  transposeB: Transposition = .none, alpha: Double = 1, beta: Double = 0
) {
  let k = checkedDepth(C, A, B, transposeA, transposeB)
  guard C.rows > 0 && C.columns > 0 else { return }
  cblas_dgemm(
    CblasColMajor, transposeA.flag, transposeB.flag, blas(C.rows), blas(C.columns), blas(k), alpha, A.base,
    blas(max(A.stride, 1)), B.base, blas(max(B.stride, 1)), beta, C.base, blas(C.stride))
}

/// The upper triangle of G ← A Aᵀ + β G, in single precision. Local; m (m+1) n flops, half of the full product's.
///
/// - Parameters:
///   - G: m × m; what lies below the diagonal is neither read nor written.
///   - A: m × n.
public func gram(_ G: MutableTile<Float>, of A: Tile<Float>, beta: Float = 0) {
  precondition(
    G.rows == A.rows && G.columns == A.rows,
    "the Gram matrix of \(A.rows) rows is not \(G.rows) × \(G.columns)")
  guard G.rows > 0 else { return }
  cblas_ssyrk(
    CblasColMajor, CblasUpper, CblasNoTrans, blas(A.rows), blas(A.columns), 1, A.base, blas(max(A.stride, 1)),
    beta,
    G.base, blas(G.stride))
}

/// The library behind the products: its version, and the processor that its kernels were written for. Local.
public func blasDescription() -> (version: String, kernel: String) {
  let configuration = openblas_get_config().map { String(cString: $0) } ?? "unknown"
  let kernel = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
  return (configuration.split(separator: " ").prefix(2).joined(separator: " "), kernel)
}

/// How many threads one product uses from now on. Local.
public func setBLASThreads(_ count: Int) { openblas_set_num_threads(blas(count)) }

private func checkedDepth<T>(
  _ C: MutableTile<T>, _ A: Tile<T>, _ B: Tile<T>, _ transposeA: Transposition, _ transposeB: Transposition
) -> Int {
  let (m, k) = transposeA == .none ? (A.rows, A.columns) : (A.columns, A.rows)
  let (k2, n) = transposeB == .none ? (B.rows, B.columns) : (B.columns, B.rows)
  precondition(
    C.rows == m && C.columns == n && k == k2, "(\(m) × \(k)) · (\(k2) × \(n)) is not \(C.rows) × \(C.columns)"
  )
  return k
}

/// A size as BLAS takes it. Ends the process, with a message in release mode too, where BLAS can't.
func blas(_ n: Int) -> blasint {
  guard isBLASSize(n) else { fatalError("\(n) is beyond this BLAS's integers; use smaller tiles") }
  return blasint(n)
}

/// Whether BLAS can take a size, or a distance between columns: its integers have 32 bits unless it was built for
/// 64.
package func isBLASSize(_ n: Int) -> Bool { n >= 0 && n <= Int(blasint.max) }
