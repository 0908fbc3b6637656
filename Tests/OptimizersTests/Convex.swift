import Glibc
import LinearAlgebra
import MPI
import Networks
import Sums
import TestSupport

/// Logistic regression with a bias and L2, which has one optimum: in double precision, one number at a time.
struct Convex {
  let network: Network
  let samples: Int
  let l2: Double
  let chunk: Int
  /// A sample's features and a 1.
  let x: [[Double]]
  let y: [Double]

  init(samples: Int, features: Int = 6, l2: Double = 0.01, chunk: Int = 16, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let teacher = (0...features).map { _ in random.normal() }
    let x = (0..<samples).map { _ in (0..<features).map { _ in Double(Float(random.normal())) } + [1] }
    y = x.map { row in zip(row, teacher).reduce(random.normal()) { $0 + $1.0 * $1.1 } > 0 ? 1 : -1 }
    self.x = x
    self.samples = samples
    self.l2 = l2
    self.chunk = chunk
    network = Network(widths: [features, 1], activation: .identity, loss: .logistic, bias: true)
  }

  /// Mean loss and penalty over some samples, and their gradient.
  func objective(_ w: [Double], _ samples: [Int]? = nil) -> (value: Double, gradient: [Double]) {
    let samples = samples ?? Array(0..<self.samples)
    let n = Double(samples.count)
    var (value, gradient) = (0.0, [Double](repeating: 0, count: w.count))
    for k in samples {
      let z = y[k] * zip(w, x[k]).reduce(0) { $0 + $1.0 * $1.1 }
      value += log1p(exp(-z)) / n
      for j in w.indices { gradient[j] -= y[k] * x[k][j] / (1 + exp(z)) / n }
    }
    for j in w.indices.dropLast() {
      value += 0.5 * l2 * w[j] * w[j]
      gradient[j] += l2 * w[j]
    }
    return (value, gradient)
  }

  /// The optimum by Newton's method.
  func optimum() -> [Double] {
    let d = x[0].count
    var w = [Double](repeating: 0, count: d)
    for _ in 0..<30 {
      let g = objective(w).gradient
      var H = (0..<d).map { i in (0..<d).map { $0 == i && i < d - 1 ? l2 : 0 } }
      for k in x.indices {
        let p = 1 / (1 + exp(zip(w, x[k]).reduce(0) { $0 - $1.0 * $1.1 }))
        for i in 0..<d { for j in 0..<d { H[i][j] += p * (1 - p) * x[k][i] * x[k][j] / Double(samples) } }
      }
      for (j, step) in plainSolve(H, g).enumerated() { w[j] -= step }
    }
    return w
  }

  /// This rank's part; must outlive what trains on it.
  func part(of ranks: borrowing Communicator) -> Part {
    let partition = Partition(samples: samples, ranks: ranks.size, chunk: chunk)
    let own = partition.range(of: ranks.rank)
    return Part(
      a0: Matrix(rows: x[0].count, columns: own.count) { i, j in Float(x[own.lowerBound + j][i]) },
      y: Matrix(rows: 1, columns: own.count) { _, j in Float(y[own.lowerBound + j]) }, partition: partition)
  }

  struct Part: ~Copyable {
    let a0: Matrix<Float>
    let y: Matrix<Float>
    let partition: Partition
  }
}

extension TrainingMethod where Self: ~Copyable {
  /// The entries of W_1, row by row.
  func firstWeights() -> [Double] {
    withWeights { W in
      let row = W[1].all.nested.flatMap { $0 }.map(Double.init)
      return row
    }
  }
}
