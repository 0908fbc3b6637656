import LinearAlgebra

extension Matrix {
  /// A matrix of value(i, j).
  public init(rows: Int, columns: Int, _ value: (_ i: Int, _ j: Int) -> Element) {
    self.init(rows: rows, columns: columns)
    for j in 0..<columns {
      for i in 0..<rows { self[i, j] = value(i, j) }
    }
  }
}

extension Tile {
  /// The entries, row by row.
  public var nested: [[Element]] {
    (0..<rows).map { i in (0..<columns).map { j in column(j)[i] } }
  }
}

/// ‖A‖ in the norm of Frobenius.
public func frobeniusNorm<T: BinaryFloatingPoint>(_ A: Tile<T>) -> Double {
  var sum = 0.0
  for j in 0..<A.columns {
    for i in 0..<A.rows { sum += Double(A.column(j)[i]) * Double(A.column(j)[i]) }
  }
  return sum.squareRoot()
}

/// ‖A − B‖ / ‖B‖ in the norm of Frobenius; ‖A‖ where B is 0, NaN where the shapes differ.
public func relativeDistance(_ A: [[Double]], _ B: [[Double]]) -> Double {
  guard A.map(\.count) == B.map(\.count) else { return .nan }
  var (distance, norm) = (0.0, 0.0)
  for (rowOfA, rowOfB) in zip(A, B) {
    for (a, b) in zip(rowOfA, rowOfB) {
      distance += (a - b) * (a - b)
      norm += b * b
    }
  }
  return (distance / (norm > 0 ? norm : 1)).squareRoot()
}

/// H⁻¹ g by elimination, for a positive definite H.
public func plainSolve(_ H: [[Double]], _ g: [Double]) -> [Double] {
  var (H, x) = (H, g)
  for k in H.indices {
    for i in H.indices where i > k {
      let factor = H[i][k] / H[k][k]
      for j in H.indices { H[i][j] -= factor * H[k][j] }
      x[i] -= factor * x[k]
    }
  }
  for k in H.indices.reversed() {
    for j in H.indices where j > k { x[k] -= H[k][j] * x[j] }
    x[k] /= H[k][k]
  }
  return x
}
