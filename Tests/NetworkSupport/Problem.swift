import LinearAlgebra
import MPI
import Networks
import Sums
import TestSupport

/// A small training problem: whole and the same on every rank, each of which trains its own columns.
package struct Problem: Sendable {
  package let network: Network
  /// d_0 × N, a row a feature.
  package private(set) var features: [[Double]]
  /// d_L × N.
  package private(set) var targets: [[Double]]
  /// Samples a chunk; nil is the default.
  package let chunk: Int?

  package var samples: Int { features[0].count }

  /// Normal features, and targets that a random linear map of them decides, with some noise. All numbers are single
  /// precision.
  ///
  /// - Parameter targetScale: a factor of the targets, for regression.
  package init(_ network: Network, samples: Int, seed: UInt64, chunk: Int? = nil, targetScale: Double = 1) {
    self.network = network
    self.chunk = chunk
    var random = SeededGenerator(seed: seed)
    let (inputs, outputs) = (network.widths[0], network.widths[network.L])
    let teacher = (0..<outputs).map { _ in (0..<inputs).map { _ in random.normal() } }
    var columns: [[Double]] = []
    var answers: [[Double]] = []
    for _ in 0..<samples {
      let x = (0..<inputs).map { _ in Double(Float(random.normal())) }
      let score = teacher.map { row in zip(row, x).reduce(0.5 * random.normal()) { $0 + $1.0 * $1.1 } }
      columns.append(x)
      answers.append(Self.target(score.map { $0 * targetScale }, network.loss))
    }
    features = (0..<inputs).map { i in columns.map { $0[i] } }
    targets = (0..<outputs).map { i in answers.map { $0[i] } }
  }

  private static func target(_ score: [Double], _ loss: Loss) -> [Double] {
    if loss.isForRegression { return score.map { Double(Float($0)) } }
    let (own, other) = loss.classTargets
    if score.count == 1 { return [Double(score[0] > 0 ? own : other)] }
    let best = score.max() ?? 0
    return score.map { Double($0 == best ? own : other) }
  }

  /// The same with the targets of some samples negated.
  package func negated(_ samples: Range<Int>) -> Problem {
    withTargets { _, n, y in samples.contains(n) ? -y : y }
  }

  /// The same with other features: `value` of feature i of sample n, which is x.
  package func withFeatures(_ value: (_ i: Int, _ n: Int, _ x: Double) -> Double) -> Problem {
    var other = self
    for i in features.indices { for n in 0..<samples { other.features[i][n] = value(i, n, features[i][n]) } }
    return other
  }

  /// The same with other targets: `value` of target i of sample n, which is y.
  package func withTargets(_ value: (_ i: Int, _ n: Int, _ y: Double) -> Double) -> Problem {
    var other = self
    for i in targets.indices { for n in 0..<samples { other.targets[i][n] = value(i, n, targets[i][n]) } }
    return other
  }

  /// Who owns which samples among so many ranks.
  package func partition(ranks: Int) -> Partition { Partition(samples: samples, ranks: ranks, chunk: chunk) }

  /// This rank's part.
  package func part(of ranks: borrowing Communicator) -> Samples {
    let partition = partition(ranks: ranks.size)
    let range = partition.range(of: ranks.rank)
    return Samples(
      features: Matrix(rows: network.widths[0] + 1, columns: range.count) { i, j in
        i < network.widths[0] ? Float(features[i][range.lowerBound + j]) : 1
      },
      targets: Matrix(rows: targets.count, columns: range.count) { i, j in
        Float(targets[i][range.lowerBound + j])
      },
      partition: partition, rank: ranks.rank)
  }
}

/// All ranks' columns of a matrix, side by side, as rows. Collective.
package func gathered(_ tile: Tile<Float>, over ranks: borrowing Communicator) throws -> [[Double]] {
  var flat: [Float] = []
  for j in 0..<tile.columns { flat += UnsafeBufferPointer(start: tile.column(j), count: tile.rows) }
  let all = try ranks.gather(flat).flatMap { $0 }
  return (0..<tile.rows).map { i in
    stride(from: i, to: all.count, by: tile.rows).map { Double(all[$0]) }
  }
}
