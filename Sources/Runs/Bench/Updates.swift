import ADMM
import LinearAlgebra
import MPI

/// The loops of an iteration that go entry by entry over one tile of samples: z_l of each hidden layer, z_L. Collective.
func measureUpdates(
  _ network: Network, tile n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  var measurements: [Measurement] = []
  for l in 1..<network.L {
    let a = numbers(network.widths[l], n)
    let z = numbers(network.widths[l], n)
    let seconds = try watch.time(over: ranks) {
      network.activation.minimise(z.all, a: a.all, beta: 30, gamma: 30)
    }
    measurements.append(
      update("z_\(l), \(network.activation)", network.widths[l], n, bytesPerElement: 12, seconds))
  }
  let outputs = network.widths[network.L]
  let (own, other) = network.loss.classTargets
  let z = numbers(outputs, n)
  let m = numbers(outputs, n)
  let y = numbers(outputs, n)
  let lambda = numbers(outputs, n)
  // A sample's class is its number modulo the outputs; with one output it is the sign.
  for j in 0..<n {
    for i in 0..<outputs { y[i, j] = outputs > 1 ? (j % outputs == i ? own : other) : (j % 2 == 0 ? 1 : -1) }
  }
  let scratch = Matrix<Double>(rows: 4 * outputs, columns: 1)
  let seconds = try watch.time(over: ranks) {
    network.loss.minimise(
      z.all, m: m.all, y: y.all, lambda: lambda.all, beta: 1, scratch: scratch.elements)
  }
  measurements.append(update("z_\(network.L), \(network.loss)", outputs, n, bytesPerElement: 16, seconds))
  return measurements
}

private func update(
  _ name: String, _ rows: Int, _ columns: Int, bytesPerElement: Int, _ seconds: [Double]
) -> Measurement {
  let count = rows * columns
  return Measurement(
    name: name, by: "this program", shape: "\(rows) × \(columns)", unit: .perElement, work: Double(count),
    bytes: Double(bytesPerElement * count), seconds: seconds)
}
