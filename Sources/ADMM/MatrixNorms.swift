import LinearAlgebra

/// ‖V‖₂, by power iteration to a few digits, and ‖V‖_F. Keeps the room that it works in.
struct MatrixNorms: ~Copyable {
  private var x, next: Matrix<Double>

  /// Room for matrices of at most so many rows.
  init(rows: Int) {
    x = Matrix(rows: rows, columns: 1)
    next = Matrix(rows: rows, columns: 1)
  }

  /// The norms of V. Local; 80 flops an entry.
  mutating func callAsFunction(_ V: Tile<Float>) -> (spectral: Double, frobenius: Double) {
    let rows = V.rows
    var square = 0.0
    for j in 0..<V.columns {
      for i in 0..<rows { square += Double(V.column(j)[i]) * Double(V.column(j)[i]) }
    }
    let frobenius = square.squareRoot()
    guard rows > 1 && frobenius > 0 else { return (frobenius, frobenius) }
    let (x, next) = (x.mutableBase, next.mutableBase)
    for i in 0..<rows { x[i] = 1 + 0.1 * Double(i % 7) }
    var spectral = 0.0
    for _ in 0..<20 {
      // next ← V Vᵀ x / ‖x‖
      let length = norm(x, rows)
      next.update(repeating: 0, count: rows)
      for j in 0..<V.columns {
        let column = V.column(j)
        var product = 0.0
        for i in 0..<rows { product += Double(column[i]) * x[i] / length }
        for i in 0..<rows { next[i] += Double(column[i]) * product }
      }
      spectral = norm(next, rows).squareRoot()
      guard spectral > 0 else { break }
      x.update(from: next, count: rows)
    }
    return (spectral, frobenius)
  }

  private func norm(_ x: UnsafePointer<Double>, _ count: Int) -> Double {
    var square = 0.0
    for i in 0..<count { square += x[i] * x[i] }
    return square.squareRoot()
  }
}
