import LinearAlgebra
import MPI
import Networks
import Reports

/// The updates of an iteration on one tile of n samples: z_l and a_l of each hidden layer, z_L. Collective.
func measureUpdates(
  _ network: Network, tile n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws -> [Measurement] {
  var measurements: [Measurement] = []
  for l in 1..<network.L {
    measurements.append(try measureOutputs(network, l, n, watch, over: ranks))
    measurements.append(try measureActivations(network, l, n, watch, over: ranks))
  }
  measurements.append(try measureLastOutputs(network, n, watch, over: ranks))
  return measurements
}

/// z_l ← argmin of γ (a − h(z))² + β (z − m)²: one pass over three arrays.
private func measureOutputs(
  _ network: Network, _ l: Int, _ n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> Measurement {
  let rows = network.widths[l]
  var z = numbers(paddedRows(rows), n)
  let m = numbers(paddedRows(rows), n)
  let a = numbers(paddedRows(rows + 1), n)
  let seconds = try watch.time(over: ranks) {
    network.activation.minimise(
      z.mutableRows(0..<rows), m: m.rows(0..<rows), a: a.rows(0..<rows), beta: 30, gamma: 30)
  }
  return update("z_\(l), \(network.activation)", rows, n, bytesPerElement: 12, seconds)
}

/// a_l from z_l and z_{l+1}: two products, or for a few outputs their like in registers.
private func measureActivations(
  _ network: Network, _ l: Int, _ n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws -> Measurement {
  let (rows, outputs) = (network.widths[l], network.widths[l + 1])
  var step = ActivationStep(from: outputs, to: rows, hasBias: network.bias)
  let W = numbers(outputs, network.inputs(l + 1))
  try step.prepare(W: W.all, r: 1)
  var a = numbers(paddedRows(rows + 1), n)
  let z = numbers(paddedRows(rows), n)
  let next = numbers(l + 1 < network.L ? paddedRows(outputs) : outputs, n)
  var work = Matrix<Float>(rows: 2 * paddedRows(max(rows, outputs)), columns: n)
  let seconds = try watch.time(over: ranks) {
    step.apply(
      a.mutableRows(0..<rows + 1), z: z.rows(0..<rows), next: next.rows(0..<outputs), network.activation,
      work: work.mutableBase)
  }
  return Measurement(
    name: "a_\(l), \(network.activation)", by: ours, shape: "\(rows) × \(outputs) × \(n)", unit: .gflops,
    work: Double(ActivationStep.flops(from: outputs, to: rows) * n), seconds: seconds)
}

/// z_L ← argmin of ℓ(z, y) + λ z + β (z − m)².
private func measureLastOutputs(
  _ network: Network, _ n: Int, _ watch: Stopwatch, over ranks: borrowing Communicator
) throws(MPIError) -> Measurement {
  let rows = network.widths[network.L]
  var z = numbers(rows, n)
  let m = numbers(rows, n)
  var y = numbers(rows, n)
  let lambda = numbers(rows, n)
  // A sample's class is its number modulo the outputs; with one output it is the sign.
  let (own, other) = network.loss.classTargets
  for j in 0..<n {
    for i in 0..<rows { y[i, j] = rows > 1 ? (j % rows == i ? own : other) : (j % 2 == 0 ? 1 : -1) }
  }
  var scratch = Matrix<Double>(rows: 4 * rows, columns: 1)
  let seconds = try watch.time(over: ranks) {
    network.loss.minimise(
      z.mutableAll, m: m.all, y: y.all, lambda: lambda.all, beta: 1, scratch: scratch.mutableElements)
  }
  return update("z_\(network.L), \(network.loss)", rows, n, bytesPerElement: 16, seconds)
}

private func update(
  _ name: String, _ rows: Int, _ columns: Int, bytesPerElement: Int, _ seconds: [Double]
) -> Measurement {
  let count = rows * columns
  return Measurement(
    name: name, by: ours, shape: "\(rows) × \(columns)", unit: .perElement, work: Double(count),
    bytes: Double(bytesPerElement * count), seconds: seconds)
}
