import Glibc
import MPI
import Networks
import Sums
import TestSupport

/// Logistic regression with a bias and L2, which has one optimum: in double precision, one number at a time.
package struct LogisticProblem: Sendable {
  package let problem: Problem
  package let l2: Double

  package var network: Network { problem.network }
  package var samples: Int { problem.samples }

  /// - Parameter wrong: how many of the samples, the first ones, have the wrong label.
  package init(samples: Int, features: Int = 5, wrong: Int = 0, l2: Double, chunk: Int = 8, seed: UInt64) {
    let network = Network(widths: [features, 1], activation: .relu, loss: .logistic, bias: true)
    problem = Problem(network, samples: samples, seed: seed, chunk: chunk).negated(0..<wrong)
    self.l2 = l2
  }

  /// This rank's part.
  package func part(of ranks: borrowing Communicator) -> Samples { problem.part(of: ranks) }

  private func inputs(_ n: Int) -> [Double] { problem.features.map { $0[n] } + [1] }

  /// The mean loss over some samples, all by default, and ½ l2 ‖V‖²; and the gradient of their sum.
  package func objective(_ w: [Double], _ samples: [Int]? = nil) -> (value: Double, gradient: [Double]) {
    let samples = samples ?? Array(0..<self.samples)
    let n = Double(samples.count)
    var (value, gradient) = (0.0, [Double](repeating: 0, count: w.count))
    for k in samples {
      let (x, y) = (inputs(k), problem.targets[0][k])
      let z = y * zip(w, x).reduce(0) { $0 + $1.0 * $1.1 }
      value += log1p(exp(-z)) / n
      for j in w.indices { gradient[j] -= y * x[j] / (1 + exp(z)) / n }
    }
    for j in w.indices.dropLast() {
      value += 0.5 * l2 * w[j] * w[j]
      gradient[j] += l2 * w[j]
    }
    return (value, gradient)
  }

  /// The weights of least objective, by Newton's method.
  package func optimum() -> [Double] {
    let d = network.inputs(1)
    var w = [Double](repeating: 0, count: d)
    for _ in 0..<30 {
      var H = (0..<d).map { i in (0..<d).map { $0 == i && i < d - 1 ? l2 : 0 } }
      for k in 0..<samples {
        let x = inputs(k)
        let p = 1 / (1 + exp(zip(w, x).reduce(0) { $0 - $1.0 * $1.1 }))
        for i in 0..<d { for j in 0..<d { H[i][j] += p * (1 - p) * x[i] * x[j] / Double(samples) } }
      }
      for (j, step) in plainSolve(H, objective(w).gradient).enumerated() { w[j] -= step }
    }
    return w
  }
}
