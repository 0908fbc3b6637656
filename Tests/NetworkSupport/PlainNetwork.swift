import Definitions
import LinearAlgebra
import Networks
import TestSupport

/// A network in double precision with the data of a problem, one sample at a time.
package struct PlainNetwork {
  package let network: Network
  package let problem: Problem
  /// W_l at l − 1: rows of d_{l−1} + 1, the last column 0 without a bias.
  package var W: [[[Double]]]

  /// Normal weights of about the size of a start, biases included; all in single precision.
  package init(_ problem: Problem, seed: UInt64) {
    let network = problem.network
    var random = SeededGenerator(seed: seed ^ 0xABCD)
    self.network = network
    self.problem = problem
    W = (1...network.L).map { l in
      (0..<network.widths[l]).map { _ in
        (0...network.widths[l - 1]).map { j in
          j < network.inputs(l)
            ? Double(Float(random.normal() / Double(network.widths[l - 1]).squareRoot())) : 0
        }
      }
    }
  }

  /// A problem and weights so that nothing lies at a kink: there differences see both sides.
  package static func smooth(_ network: Network, samples: Int, chunk: Int, seed: UInt64) -> PlainNetwork {
    for attempt in 0..<200 {
      let seed = 1000 * seed + UInt64(attempt)
      let problem = Problem(network, samples: samples, seed: seed, chunk: chunk)
      let reference = PlainNetwork(problem, seed: seed)
      if reference.distanceFromKinks() > 2e-5 { return reference }
    }
    preconditionFailure("no problem of \(network) without kinks nearby")
  }

  /// All weights in one column.
  package var flat: Matrix<Float> {
    var flat = network.flatZeros()
    for l in 1...network.L {
      let to = network.mutableParameters(l, of: &flat)
      for (i, row) in W[l - 1].enumerated() { for (j, x) in row.enumerated() { to.column(j)[i] = Float(x) } }
    }
    return flat
  }

  /// z_1 … z_L of a sample.
  package func outputs(_ n: Int) -> [[Double]] {
    var input = problem.features.map { $0[n] }
    return W.indices.map { k in
      let z = W[k].map { row in zip(row, input + [1]).reduce(0) { $0 + $1.0 * $1.1 } }
      input = z.map { plain(network.activation, $0) }
      return z
    }
  }

  /// a_0 … a_{L−1} of a sample.
  package func activations(_ n: Int) -> [[Double]] {
    [problem.features.map { $0[n] }] + outputs(n).dropLast().map { $0.map { plain(network.activation, $0) } }
  }

  package func target(_ n: Int) -> [Double] { problem.targets.map { $0[n] } }

  /// The mean loss and ½ l2 ‖V‖².
  package func objective(_ samples: [Int], l2: Double) -> Double {
    let loss = samples.reduce(0) { $0 + plain(network.loss, outputs($1)[network.L - 1], target($1)) }
    let squares = W.reduce(0) { sum, W in
      W.reduce(sum) { sum, row in row.dropLast().reduce(sum) { $0 + $1 * $1 } }
    }
    return loss / Double(samples.count) + 0.5 * l2 * squares
  }

  /// How far the nearest output of any sample is from a kink of h or of the loss.
  private func distanceFromKinks() -> Double {
    var least = Double.infinity
    let kinks = kinks(network.activation)
    for n in 0..<problem.samples {
      let z = outputs(n)
      for z in z.dropLast() { for x in z { for kink in kinks { least = min(least, abs(x - kink)) } } }
      let (last, y) = (z[network.L - 1], target(n))
      least = min(least, NetworkSupport.distanceFromKinks(network.loss, last, y))
    }
    return least
  }
}
