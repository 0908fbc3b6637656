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
    let C = Matrix<Float>(rows: n, columns: n)
    measurements.append(
      Measurement(
        name: "square", by: "sgemm", shape: "\(n) × \(n) × \(n)", unit: .gflops, work: 2 * Double(n * n * n),
        seconds: try watch.time(over: ranks) { multiply(C.all, A.all, B.all) }))
  }
  return measurements
}

/// The products of an iteration: of each layer W_l a_{l−1}, z_l a_{l−1}ᵀ and, for the hidden ones, a_l a_lᵀ; of one
/// tile; as the iteration does them, and as BLAS does. Collective.
///
/// - Parameter n: how many samples a tile has.
func measureProducts(
  _ network: Network, tile n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  var measurements: [Measurement] = []
  for l in 1...network.L {
    let layer = LayerProducts(network, l, samples: n, watch)
    measurements += try layer.measureForward(over: ranks)
    measurements += try layer.measureOuter(over: ranks)
    if l > 1 { measurements += try layer.measureGram(over: ranks) }
  }
  return measurements
}

/// The products of layer l with one tile of samples.
private struct LayerProducts: ~Copyable {
  private let l, outputs, inputs, samples: Int
  /// a_{l−1} and z_l, with columns as far apart as those of the variables: only hidden layers' are padded.
  private let before, after: Matrix<Float>
  private let watch: Stopwatch

  init(_ network: Network, _ l: Int, samples: Int, _ watch: Stopwatch) {
    self.l = l
    (outputs, inputs) = (network.widths[l], network.inputs(l))
    self.samples = samples
    before = numbers(l == 1 ? network.widths[0] + 1 : paddedRows(network.widths[l - 1] + 1), samples)
    after = numbers(l < network.L ? paddedRows(network.widths[l]) : network.widths[l], samples)
    self.watch = watch
  }

  private var a: Tile<Float> { before.rows(0..<inputs) }
  private var z: Tile<Float> { after.rows(0..<outputs) }

  /// W_l a_{l−1}. Collective.
  func measureForward(over ranks: borrowing Communicator) throws(MPIError) -> [Measurement] {
    let W = numbers(outputs, inputs)
    let panels = Panels(rows: outputs, columns: inputs)
    panels.assign(W.all)
    let room = Matrix<Float>(
      rows: outputs < Panels.fewRows ? outputs : paddedRows(outputs), columns: samples)
    let (a, m) = (a, room.rows(0..<outputs))
    let row = Row("W_\(l) a_\(l - 1)", outputs, samples, inputs, flops: 2 * outputs * inputs * samples)
    return [
      row.by(ours, try watch.time(over: ranks) { panels.multiply(m, a) }),
      row.by("sgemm", try watch.time(over: ranks) { multiply(m, W.all, a) }),
    ]
  }

  /// z_l a_{l−1}ᵀ, as the sums are computed: the side that pads less goes down the columns. Collective.
  func measureOuter(over ranks: borrowing Communicator) throws(MPIError) -> [Measurement] {
    let isTransposed = SumLayout.isTransposed(rows: outputs, columns: inputs)
    let sum = Matrix<Float>(
      rows: paddedRows(isTransposed ? inputs : outputs), columns: isTransposed ? outputs : inputs)
    let S = Matrix<Float>(rows: outputs, columns: inputs)
    let (a, z) = (a, z)
    let row = Row("z_\(l) a_\(l - 1)ᵀ", outputs, inputs, samples, flops: 2 * outputs * inputs * samples)
    let own = try watch.time(over: ranks) {
      if isTransposed {
        addProduct(sum.rows(0..<inputs), a, transposed: z)
      } else {
        addProduct(sum.rows(0..<outputs), z, transposed: a)
      }
    }
    let sgemm = try watch.time(over: ranks) { multiply(S.all, z, a, transposeB: .transposed, beta: 1) }
    return [row.by(ours, own), row.by("sgemm", sgemm)]
  }

  /// a_{l−1} a_{l−1}ᵀ, of which half is computed. Collective.
  func measureGram(over ranks: borrowing Communicator) throws(MPIError) -> [Measurement] {
    let G = Matrix<Float>(rows: paddedRows(inputs), columns: inputs)
    let (a, square) = (a, G.rows(0..<inputs))
    let row = Row(
      "a_\(l - 1) a_\(l - 1)ᵀ", inputs, inputs, samples, flops: inputs * (inputs + 1) * samples)
    return [
      row.by(ours, try watch.time(over: ranks) { addGram(square, of: a) }),
      row.by("ssyrk", try watch.time(over: ranks) { gram(square, of: a, beta: 1) }),
    ]
  }
}

/// A product that several compute.
private struct Row {
  private let name, shape: String
  private let flops: Int

  init(_ name: String, _ m: Int, _ n: Int, _ k: Int, flops: Int) {
    self.name = name
    shape = "\(m) × \(n) × \(k)"
    self.flops = flops
  }

  func by(_ name: String, _ seconds: [Double]) -> Measurement {
    Measurement(
      name: self.name, by: name, shape: shape, unit: .gflops, work: Double(flops), seconds: seconds)
  }
}

/// Who does what BLAS does not.
let ours = "this program"

/// Small whole numbers of both signs: no product or sum of them runs into subnormal numbers or infinities.
func numbers(_ rows: Int, _ columns: Int) -> Matrix<Float> {
  let matrix = Matrix<Float>(rows: rows, columns: columns)
  for k in 0..<matrix.count { matrix.base[k] = Float(k % 7) - 3 }
  return matrix
}
