import LinearAlgebra
import Reports

// Products and solves against plain loops. Local work, the same on every rank.

/// C ← A Bᵀ, C padded and zero before.
package typealias Product = @Sendable (_ C: MutableTile<Float>, _ A: Tile<Float>, _ B: Tile<Float>) -> Void

/// X ← X G⁻¹.
package typealias Solve = @Sendable (_ X: MutableTile<Double>, _ G: Tile<Double>) throws -> Void

extension Check {
  /// Every kind of product that training uses, and BLAS's, of whole numbers: exact.
  package static func products(_ product: Product? = nil) -> Check {
    let advice =
      "This host multiplies wrongly: build the program there again (ARCH), try another OpenBLAS or OPENBLAS_CORETYPE, "
      + "and leave the host out if it still does."
    let products = product.map { [(name: "product", product: $0)] } ?? ownProducts
    return Check(name: "products", advice: advice) { site, _ in
      let shapes =
        [(1, 1, 1), (37, 29, 53), (5, 300, 64), (129, 17, 256)] + (site.isQuick ? [] : [(300, 785, 256)])
      for (m, n, k) in shapes {
        for (name, product) in products {
          if let fault = fault(of: product, m, n, k) {
            return .fault("\(name) of \(m) × \(k) and \(n) × \(k): \(fault)")
          }
        }
      }
      return .sound(
        "\(products.count) kinds of products equal plain loops, kernel \(blasDescription().kernel)")
    }
  }

  /// Cholesky's factor and the pseudo-inverse, by what is left of the system.
  package static func solves(_ solve: Solve? = nil) -> Check {
    let advice = "LAPACK solves wrongly on this host: try another OpenBLAS, or OPENBLAS_CORETYPE."
    let solves = solve.map { [(name: "the solve", solve: $0)] } ?? ownSolves
    return Check(name: "solves", advice: advice) { site, _ in
      for d in site.isQuick ? [1, 30, 120] : [1, 30, 120, 301] {
        for (name, solve) in solves {
          var found: String?
          if let fault = faultOf({ found = try fault(of: solve, d) }) ?? found {
            return .fault("\(name), \(d) rows: \(fault)")
          }
        }
      }
      return .sound("systems are solved to rounding")
    }
  }
}

/// What is wrong with a product of these shapes.
private func fault(of product: Product, _ m: Int, _ n: Int, _ k: Int) -> String? {
  var random = Draws(seed: UInt64(m + 1000 * n))
  var A = Matrix<Float>(rows: m, columns: k)
  var B = Matrix<Float>(rows: n, columns: k)
  for i in 0..<A.count { A.mutableBase[i] = Float(random.index(15)) - 7 }
  for i in 0..<B.count { B.mutableBase[i] = Float(random.index(15)) - 7 }
  var C = Matrix<Float>(rows: paddedRows(m), columns: n)
  product(C.mutableRows(0..<m), A.all, B.all)
  let (a, b) = (Array(A.elements), Array(B.elements))
  for j in 0..<n {
    for i in 0..<m {
      var sum: Float = 0
      for l in 0..<k { sum += a[i + l * m] * b[j + l * n] }
      guard C[i, j] == sum else { return "entry (\(i), \(j)) is \(C[i, j]), and should be \(sum)" }
    }
  }
  return nil
}

/// The products of training, and those of BLAS.
private let ownProducts: [(name: String, product: Product)] = [
  ("sgemm", { C, A, B in multiply(C, A, B, transposeB: .transposed) }),
  (
    "W a",
    { C, A, B in
      var panels = Panels(rows: A.rows, columns: A.columns)
      panels.assign(A)
      var right = Matrix<Float>(rows: B.columns, columns: B.rows)
      for j in 0..<B.rows { for l in 0..<B.columns { right[l, j] = B.column(l)[j] } }
      panels.multiply(C, right.all)
    }
  ),
  ("z aᵀ", { C, A, B in addProduct(C, A, transposed: B) }),
  (
    "a aᵀ",
    { C, A, B in
      // Of the rows of A over those of B: what is wanted lies right of the first m columns.
      let (m, n) = (A.rows, B.rows)
      var both = Matrix<Float>(rows: m + n, columns: A.columns)
      both.mutableRows(0..<m).assign(A)
      both.mutableRows(m..<m + n).assign(B)
      var G = Matrix<Float>(rows: paddedRows(m + n), columns: m + n)
      addGram(G.mutableRows(0..<m + n), of: both.all)
      C.assign(G.columns(m..<m + n).rows(0..<m))
    }
  ),
]

private let ownSolves: [(name: String, solve: Solve)] = [
  (
    "Cholesky's method",
    { X, G in
      var factor = Cholesky<Double>(size: G.rows)
      try factor.factor(G)
      factor.solveFromRight(X)
    }
  ),
  ("the pseudo-inverse", { X, G in try multiplyByPseudoInverse(X, of: G) }),
]

/// What is left of X G = B after a solve, against the size of the numbers.
private func fault(
  of solve: Solve, _ d: Int
) throws -> String? {
  var random = Draws(seed: UInt64(d))
  let factor = (0..<d).map { _ in (0..<d).map { _ in random.normal() } }
  var G = Matrix<Double>(rows: d, columns: d)
  for j in 0..<d {
    for i in 0..<d { G[i, j] = zip(factor[i], factor[j]).reduce(i == j ? Double(d) : 0) { $0 + $1.0 * $1.1 } }
  }
  var B = Matrix<Double>(rows: 3, columns: d)
  for k in 0..<B.count { B.mutableBase[k] = random.normal() }
  var X = B.copy()
  try solve(X.mutableAll, G.all)
  for i in 0..<3 {
    for j in 0..<d {
      var (sum, scale) = (0.0, 1.0)
      for k in 0..<d {
        sum += X[i, k] * G[k, j]
        scale += abs(X[i, k] * G[k, j])
      }
      guard abs(sum - B[i, j]) <= 1e-11 * scale else {
        return "entry (\(i), \(j)) of the product is \(sum), and should be \(B[i, j])"
      }
    }
  }
  return nil
}
