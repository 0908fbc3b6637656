import ADMM
import LinearAlgebra
import MPI
import Networks
import Settings
import Sums

/// BLAS's products of square matrices: one that stays in a core's cache, and a large one. Collective.
func measureSquares(_ watch: Stopwatch, over ranks: borrowing Communicator) throws(MPIError) -> [Measurement]
{
  var measurements: [Measurement] = []
  for n in [384, 2048] {
    let A = numbers(n, n)
    let B = numbers(n, n)
    let C = Matrix<Float>(rows: n, columns: n)
    measurements.append(
      Measurement(
        name: "square", by: "sgemm", shape: "\(n) × \(n) × \(n)", unit: .gflops, work: 2 * Double(n * n * n),
        seconds: try watch.time(over: ranks) { multiply(C.all, A.all, B.all) }))
  }
  return measurements
}

/// The products of an iteration: each layer's W_l a_{l−1}, z_l a_{l−1}ᵀ and, for the hidden ones, a_l a_lᵀ; of one
/// tile; as the iteration does them, and as BLAS does. Collective.
///
/// - Parameters:
///   - n: how many samples a tile has.
func measureProducts(
  _ network: Network, tile n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  var measurements: [Measurement] = []
  for l in 1...network.L { measurements += try measureProducts(network, l, n, watch, over: ranks) }
  return measurements
}

/// Those of layer l. Collective.
private func measureProducts(
  _ network: Network, _ l: Int, _ n: Int, _ watch: Stopwatch,
  over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  let (outputs, inputs) = (network.widths[l], network.inputs(l))
  // Columns as far apart as those of the variables: only hidden layers' are padded.
  let before = numbers(l == 1 ? network.widths[0] + 1 : paddedRows(network.widths[l - 1] + 1), n)
  let after = numbers(l < network.L ? paddedRows(outputs) : outputs, n)
  let (a, z) = (before.rows(0..<inputs), after.rows(0..<outputs))
  var measurements: [Measurement] = []
  func add(
    _ name: String, _ by: String, _ m: Int, _ n: Int, _ k: Int, flops: Int, _ body: () -> Void
  ) throws(MPIError) {
    measurements.append(
      Measurement(
        name: name, by: by, shape: "\(m) × \(n) × \(k)", unit: .gflops, work: Double(flops),
        seconds: try watch.time(over: ranks, body)))
  }

  let W = numbers(outputs, inputs)
  let panels = Panels(rows: outputs, columns: inputs)
  panels.assign(W.all)
  let room = Matrix<Float>(rows: outputs < Panels.fewRows ? outputs : paddedRows(outputs), columns: n)
  let m = room.rows(0..<outputs)
  let name = "W_\(l) a_\(l - 1)"
  let work = 2 * outputs * inputs * n
  try add(name, ours, outputs, n, inputs, flops: work) { panels.multiply(m, a) }
  try add(name, "sgemm", outputs, n, inputs, flops: work) { multiply(m, W.all, a) }

  // As the sums are computed: the side that pads less goes down the columns.
  let flops = 2 * outputs * inputs * n
  let isTransposed = SumLayout.isTransposed(rows: outputs, columns: inputs)
  let sum = Matrix<Float>(
    rows: paddedRows(isTransposed ? inputs : outputs), columns: isTransposed ? outputs : inputs)
  try add("z_\(l) a_\(l - 1)ᵀ", ours, outputs, inputs, n, flops: flops) {
    if isTransposed {
      addProduct(sum.rows(0..<inputs), a, transposed: z)
    } else {
      addProduct(sum.rows(0..<outputs), z, transposed: a)
    }
  }
  let S = Matrix<Float>(rows: outputs, columns: inputs)
  try add("z_\(l) a_\(l - 1)ᵀ", "sgemm", outputs, inputs, n, flops: flops) {
    multiply(S.all, z, a, transposeB: .transposed, beta: 1)
  }

  guard l > 1 else { return measurements }
  let G = Matrix<Float>(rows: paddedRows(inputs), columns: inputs)
  let half = inputs * (inputs + 1) * n
  let square = "a_\(l - 1) a_\(l - 1)ᵀ"
  try add(square, ours, inputs, inputs, n, flops: half) { addGram(G.rows(0..<inputs), of: a) }
  try add(square, "ssyrk", inputs, inputs, n, flops: half) { gram(G.rows(0..<inputs), of: a, beta: 1) }
  return measurements
}

/// Who does what BLAS does not.
let ours = "this program"

/// Small whole numbers of both signs: no product or sum of them runs into subnormal numbers or infinities.
func numbers(_ rows: Int, _ columns: Int) -> Matrix<Float> {
  let matrix = Matrix<Float>(rows: rows, columns: columns)
  for k in 0..<matrix.count { matrix.base[k] = Float(k % 7) - 3 }
  return matrix
}
