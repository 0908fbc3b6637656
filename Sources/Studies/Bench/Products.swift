import LinearAlgebra
import MPI
import Networks
import Sums

/// BLAS's products of square matrices: one that stays in a core's cache, and a large one. Collective.
func measureSquares(_ watch: Stopwatch, over ranks: borrowing Communicator) throws(MPIError) -> [Measurement]
{
  var measurements: [Measurement] = []
  for n in [384, 2048] {
    let A = numbers(n, n)
    let B = numbers(n, n)
    var C = Matrix<Float>(rows: n, columns: n)
    measurements.append(
      Measurement(
        name: "square", by: "sgemm", shape: "\(n) × \(n) × \(n)", unit: .gflops, work: 2 * Double(n * n * n),
        seconds: try watch.time(over: ranks) { multiply(C.mutableAll, A.all, B.all) }))
  }
  return measurements
}

/// The products of an iteration: each layer's W_l a_{l−1}, z_l a_{l−1}ᵀ and, for the hidden ones, a_l a_lᵀ; of one
/// tile; as the iteration does them, and as BLAS does. Collective.
///
/// - Parameter n: how many samples a tile has.
func measureProducts(
  _ network: Network, tile n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  var measurements: [Measurement] = []
  for l in 1...network.L {
    let layer = LayerProducts(network, l, n, watch)
    measurements += try layer.forward(over: ranks)
    measurements += try layer.sums(over: ranks)
    if l > 1 { measurements += try layer.gram(over: ranks) }
  }
  return measurements
}

/// The products of layer l, each by the program and by BLAS.
private struct LayerProducts: ~Copyable {
  private let l, n, outputs, inputs: Int
  /// a_{l−1} and z_l. Columns as far apart as those of the variables: only hidden layers' are padded.
  private let before, after: Matrix<Float>
  private let watch: Stopwatch

  init(_ network: Network, _ l: Int, _ n: Int, _ watch: Stopwatch) {
    (self.l, self.n, self.watch) = (l, n, watch)
    outputs = network.widths[l]
    inputs = network.inputs(l)
    before = numbers(l == 1 ? network.widths[0] + 1 : paddedRows(network.widths[l - 1] + 1), n)
    after = numbers(l < network.L ? paddedRows(outputs) : outputs, n)
  }

  private var a: Tile<Float> { before.rows(0..<inputs) }
  private var z: Tile<Float> { after.rows(0..<outputs) }

  /// W_l a_{l−1}. Collective.
  func forward(over ranks: borrowing Communicator) throws(MPIError) -> [Measurement] {
    let a = a
    let W = numbers(outputs, inputs)
    var panels = Panels(rows: outputs, columns: inputs)
    panels.assign(W.all)
    var room = Matrix<Float>(rows: outputs < Panels.fewRows ? outputs : paddedRows(outputs), columns: n)
    let m = room.mutableRows(0..<outputs)
    return [
      try product("W_\(l) a_\(l - 1)", ours, outputs, n, inputs, over: ranks) { panels.multiply(m, a) },
      try product("W_\(l) a_\(l - 1)", "sgemm", outputs, n, inputs, over: ranks) { multiply(m, W.all, a) },
    ]
  }

  /// z_l a_{l−1}ᵀ, as the sums are computed: the side that pads less goes down the columns. Collective.
  func sums(over ranks: borrowing Communicator) throws(MPIError) -> [Measurement] {
    let (a, z, isTransposed) = (a, z, SumLayout.isTransposed(rows: outputs, columns: inputs))
    let (rows, columns) = isTransposed ? (inputs, outputs) : (outputs, inputs)
    var sum = Matrix<Float>(rows: paddedRows(rows), columns: columns)
    var S = Matrix<Float>(rows: outputs, columns: inputs)
    let (own, blas) = (sum.mutableRows(0..<rows), S.mutableAll)
    return [
      try product("z_\(l) a_\(l - 1)ᵀ", ours, outputs, inputs, n, over: ranks) {
        if isTransposed { addProduct(own, a, transposed: z) } else { addProduct(own, z, transposed: a) }
      },
      try product("z_\(l) a_\(l - 1)ᵀ", "sgemm", outputs, inputs, n, over: ranks) {
        multiply(blas, z, a, transposeB: .transposed, beta: 1)
      },
    ]
  }

  /// a_{l−1} a_{l−1}ᵀ, of which half is computed. Collective.
  func gram(over ranks: borrowing Communicator) throws(MPIError) -> [Measurement] {
    let a = a
    var room = Matrix<Float>(rows: paddedRows(inputs), columns: inputs)
    let G = room.mutableRows(0..<inputs)
    let (name, flops) = ("a_\(l - 1) a_\(l - 1)ᵀ", inputs * (inputs + 1) * n)
    return [
      try product(name, ours, inputs, inputs, n, flops: flops, over: ranks) { addGram(G, of: a) },
      try product(name, "ssyrk", inputs, inputs, n, flops: flops, over: ranks) {
        LinearAlgebra.gram(G, of: a, beta: 1)
      },
    ]
  }

  /// Times a product of (m × k) and (k × n). Collective.
  private func product(
    _ name: String, _ by: String, _ m: Int, _ n: Int, _ k: Int, flops: Int? = nil,
    over ranks: borrowing Communicator, _ body: () -> Void
  ) throws(MPIError) -> Measurement {
    Measurement(
      name: name, by: by, shape: "\(m) × \(n) × \(k)", unit: .gflops, work: Double(flops ?? 2 * m * n * k),
      seconds: try watch.time(over: ranks, body))
  }
}

/// Who does what BLAS does not.
let ours = "this program"

/// Small whole numbers of both signs: no product or sum of them runs into subnormal numbers or infinities.
func numbers(_ rows: Int, _ columns: Int) -> Matrix<Float> {
  var matrix = Matrix<Float>(rows: rows, columns: columns)
  let entries = matrix.mutableBase
  for k in 0..<matrix.count { entries[k] = Float(k % 7) - 3 }
  return matrix
}
