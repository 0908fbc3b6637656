import ADMM
import LinearAlgebra
import MPI

/// BLAS's products of square matrices: one that stays in a core's cache, and a large one. Collective.
func measureSquares(_ watch: Stopwatch, over ranks: borrowing Communicator) throws(MPIError) -> [Measurement]
{
  var measurements: [Measurement] = []
  for n in [384, 2048] {
    measurements.append(
      try product("square", "sgemm", n, n, n, watch, over: ranks) { C, A, B in multiply(C, A, B) })
  }
  return measurements
}

/// The products of an iteration on one tile of samples, as BLAS does them: each layer's W_l a_{l−1}, z_l a_{l−1}ᵀ and, for the hidden
/// ones, a_l a_lᵀ. Collective.
func measureProducts(
  _ network: Network, tile n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  var measurements: [Measurement] = []
  for l in 1...network.L {
    let (outputs, inputs) = (network.widths[l], network.inputs(l))
    measurements.append(
      try product("W_\(l) a_\(l - 1)", "sgemm", outputs, n, inputs, watch, over: ranks) { C, A, B in
        multiply(C, A, B)
      })
    measurements.append(
      try product("z_\(l) a_\(l - 1)ᵀ", "sgemm", outputs, inputs, n, watch, over: ranks) { C, A, B in
        // B as a_{l−1}: inputs × n, transposed.
        multiply(C, A, Tile(base: B.base, rows: inputs, columns: n, stride: inputs), transposeB: .transposed)
      })
    guard l > 1 else { continue }
    let a = numbers(inputs, n)
    let G = Matrix<Float>(rows: inputs, columns: inputs)
    measurements.append(
      Measurement(
        name: "a_\(l - 1) a_\(l - 1)ᵀ", by: "ssyrk", shape: "\(inputs) × \(inputs) × \(n)", unit: .gflops,
        work: Double(inputs * (inputs + 1) * n),
        seconds: try watch.time(over: ranks) { gram(G.all, of: a.all) }))
  }
  return measurements
}

/// C ← A B with C m × n, A m × k, B k × n. Collective.
private func product(
  _ name: String, _ by: String, _ m: Int, _ n: Int, _ k: Int, _ watch: Stopwatch,
  over ranks: borrowing Communicator, _ body: (Tile<Float>, Tile<Float>, Tile<Float>) -> Void
) throws(MPIError) -> Measurement {
  let A = numbers(m, k)
  let B = numbers(k, n)
  let C = Matrix<Float>(rows: m, columns: n)
  return Measurement(
    name: name, by: by, shape: "\(m) × \(n) × \(k)", unit: .gflops,
    work: 2 * Double(m) * Double(n) * Double(k),
    seconds: try watch.time(over: ranks) { body(C.all, A.all, B.all) })
}

/// Small whole numbers of both signs, none 0 alone: no product runs into subnormal numbers or infinities.
func numbers(_ rows: Int, _ columns: Int) -> Matrix<Float> {
  let matrix = Matrix<Float>(rows: rows, columns: columns)
  for k in 0..<matrix.count { matrix.base[k] = Float(k % 7) - 3 }
  return matrix
}
