import CLAPACKE
import COpenBLAS

/// A number that LAPACK and BLAS have routines for.
public protocol LAPACKNumber: BinaryFloatingPoint, BitwiseCopyable {
  /// Those that a Cholesky factor needs.
  static var routines: CholeskyRoutines<Self> { get }
}

/// LAPACK's and BLAS's routines for a Cholesky factor, in one precision.
public struct CholeskyRoutines<Number> {
  /// The first letter of their names.
  let letter: String
  let potrf, potri: (Int32, CChar, Int32, UnsafeMutablePointer<Number>?, Int32) -> Int32
  let trsm:
    (
      CBLAS_ORDER, CBLAS_SIDE, CBLAS_UPLO, CBLAS_TRANSPOSE, CBLAS_DIAG, Int32, Int32, Number,
      UnsafePointer<Number>?, Int32, UnsafeMutablePointer<Number>?, Int32
    ) -> Void
  let trsv:
    (
      CBLAS_ORDER, CBLAS_UPLO, CBLAS_TRANSPOSE, CBLAS_DIAG, Int32, UnsafePointer<Number>?, Int32,
      UnsafeMutablePointer<Number>?, Int32
    ) -> Void
}

extension Double: LAPACKNumber {
  public static var routines: CholeskyRoutines<Double> {
    CholeskyRoutines(
      letter: "d", potrf: LAPACKE_dpotrf, potri: LAPACKE_dpotri, trsm: cblas_dtrsm, trsv: cblas_dtrsv)
  }
}

extension Float: LAPACKNumber {
  public static var routines: CholeskyRoutines<Float> {
    CholeskyRoutines(
      letter: "s", potrf: LAPACKE_spotrf, potri: LAPACKE_spotri, trsm: cblas_strsm, trsv: cblas_strsv)
  }
}

/// A factorisation that LAPACK could not make.
public struct LAPACKError: Error, CustomStringConvertible {
  /// The routine, for instance `dpotrf`.
  public let routine: String
  /// Its return code: below 0 a wrong argument, above 0 a numerical failure at that row.
  public let info: Int32

  public var description: String {
    info < 0
      ? "\(routine): argument \(-info) is not legal (a NaN, or a wrong size)"
      : "\(routine): not positive definite, or no convergence, at row \(info)"
  }
}

/// G = UᵀU for a symmetric positive definite G. Factoring anew reuses the memory.
public struct Cholesky<Number: LAPACKNumber>: ~Copyable {
  private var U: Matrix<Number>

  /// Room for the factor of a d × d matrix.
  public init(size d: Int) { U = Matrix(rows: d, columns: d) }

  /// Factors G + ρI. Local; d³/3 flops, no allocation.
  ///
  /// - Parameters:
  ///   - G: d × d; only its upper triangle is read.
  ///   - ridge: ρ ≥ 0.
  ///   - smallestPivot: the least part of a diagonal entry that elimination may leave; below it the row counts as a
  ///     combination of those before. To be set by the precision of G.
  /// - Throws: `LAPACKError` when G + ρI is not positive definite to that precision; there is then no factor.
  public mutating func factor(
    _ G: Tile<Number>, ridge: Number = 0, smallestPivot: Number = 1e-14
  ) throws(LAPACKError) {
    let d = G.rows
    U.mutableAll.assign(G)
    for i in 0..<d { U[i, i] += ridge }
    let routines = Number.routines
    let routine = routines.letter + "potrf"
    let info = routines.potrf(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "U")), blas(d), U.mutableBase, blas(max(d, 1)))
    guard info == 0 else { throw LAPACKError(routine: routine, info: info) }
    // Written so that an infinity, or a NaN that came of one, fails.
    for i in 0..<d where !(U[i, i] * U[i, i] > smallestPivot * (G.column(i)[i] + ridge)) {
      throw LAPACKError(routine: routine, info: Int32(i + 1))
    }
  }

  /// X ← X (G + ρI)⁻¹, in place. Local; 2 m d² flops.
  ///
  /// - Parameter X: m × d.
  public func solveFromRight(_ X: MutableTile<Number>) {
    precondition(X.columns == U.rows, "\(X.rows) × \(X.columns) times \(U.rows) × \(U.rows)")
    guard X.rows > 0 && X.columns > 0 else { return }
    for side in 0..<2 {
      Number.routines.trsm(
        CblasColMajor, CblasRight, CblasUpper, side == 0 ? CblasNoTrans : CblasTrans, CblasNonUnit,
        blas(X.rows), blas(X.columns), 1,
        U.base, blas(U.rows), X.base, blas(X.stride))
    }
  }

  /// x ← x (G + ρI)⁻¹ for one row, in place. Local; 2 d² flops.
  ///
  /// - Parameters:
  ///   - x: d numbers.
  ///   - stride: how far apart they are.
  public func solveFromRight(_ x: UnsafeMutablePointer<Number>, stride: Int) {
    guard U.rows > 0 else { return }
    for side in 0..<2 {
      Number.routines.trsv(
        CblasColMajor, CblasUpper, side == 0 ? CblasTrans : CblasNoTrans, CblasNonUnit, blas(U.rows), U.base,
        blas(U.rows), x,
        blas(stride))
    }
  }

  /// Overwrites `inverse`, d × d, by (G + ρI)⁻¹, both triangles. Local; 2 d³/3 flops.
  public func invert(into inverse: inout Matrix<Number>) {
    let d = U.rows
    inverse.assign(U)
    // Fails only for a zero on the diagonal, which no factor has.
    _ = Number.routines.potri(
      LAPACK_COL_MAJOR, CChar(UInt8(ascii: "U")), blas(d), inverse.mutableBase, blas(max(d, 1)))
    for j in 0..<d {
      for i in j + 1..<max(d, j + 1) { inverse[i, j] = inverse[j, i] }
    }
  }
}

/// X ← X G⁺ with the pseudo-inverse of a symmetric positive semidefinite G: eigenvalues at most `tolerance` times
/// the largest count as 0. Local; about 9 d³ flops. The last resort where a Cholesky factorisation fails.
///
/// - Parameters:
///   - X: m × d, overwritten.
///   - G: d × d; only its upper triangle is read.
/// - Throws: `LAPACKError` when the eigenvalues don't converge or G has a NaN.
public func multiplyByPseudoInverse(
  _ X: MutableTile<Double>, of G: Tile<Double>, tolerance: Double = 1e-12
) throws(LAPACKError) {
  let d = G.rows
  precondition(G.columns == d && X.columns == d, "\(X.rows) × \(X.columns) times \(d) × \(G.columns)")
  guard d > 0 && X.rows > 0 else { return }
  var V = Matrix(copying: G)
  var eigenvalues = Matrix<Double>(rows: d, columns: 1)
  let info = LAPACKE_dsyevd(
    LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")), blas(d), V.mutableBase, blas(d),
    eigenvalues.mutableBase)
  guard info == 0 else { throw LAPACKError(routine: "dsyevd", info: info) }
  let smallest = tolerance * max(eigenvalues[d - 1, 0], 0)
  var XV = Matrix<Double>(rows: X.rows, columns: d)
  multiply(XV.mutableAll, Tile(X), V.all)
  for j in 0..<d {
    let value = eigenvalues[j, 0]
    let factor = value > smallest ? 1 / value : 0
    for i in 0..<X.rows { XV[i, j] *= factor }
  }
  multiply(X, XV.all, V.all, transposeB: .transposed)
}
