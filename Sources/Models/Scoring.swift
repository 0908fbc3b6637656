import Datasets
import LinearAlgebra
import Networks

/// The outputs that a network should have, and the outputs that it has.
package enum Scoring {
  /// d_L: one output for two classes, one a class for more or for a joint loss, one for regression.
  package static func outputs(_ labels: Labels, loss: Loss) -> Int {
    guard case .classes(_, let names) = labels else { return 1 }
    return names.count == 2 && !loss.isJoint ? 1 : names.count
  }

  /// y, d_L × n: the targets of this rank's samples. Local.
  ///
  /// With one output the second class has the target +1 and the first −1.
  package static func targets(_ labels: Labels, loss: Loss) -> Matrix<Float> {
    let outputs = outputs(labels, loss: loss)
    switch labels {
    case .none: return Matrix(rows: outputs, columns: 0)
    case .targets(let values): return Matrix(rows: 1, values)
    case .classes(let codes, _):
      var y = Matrix<Float>(rows: outputs, columns: codes.count)
      let (own, other) = loss.classTargets
      for (j, code) in codes.enumerated() {
        if outputs == 1 {
          y[0, j] = code == 1 ? own : other
        } else {
          for i in 0..<outputs { y[i, j] = i == Int(code) ? own : other }
        }
      }
      return y
    }
  }

  /// z_L, d_L × n: the network's own outputs for this rank's samples. Local.
  ///
  /// - Parameter a0: (d_0 + 1) × n, the features over a row of ones.
  package static func scores(
    _ network: Network, _ W: borrowing Layers<Matrix<Float>>, _ a0: Tile<Float>
  ) -> Matrix<Float> {
    let n = a0.columns
    var scores = Matrix<Float>(rows: network.widths[network.L], columns: n)
    var pass = ForwardPass(network, W, columns: tileColumns)
    for start in stride(from: 0, to: n, by: tileColumns) {
      let tile = start..<min(start + tileColumns, n)
      pass(scores.mutableColumns(tile), a0.columns(tile))
    }
    return scores
  }

  /// The class of a sample by its outputs: the sign of one, the largest of several (the first of equals).
  package static func decision(_ scores: UnsafePointer<Float>, outputs: Int) -> Int {
    if outputs == 1 { return scores[0] > 0 ? 1 : 0 }
    var best = 0
    for i in 1..<outputs where scores[i] > scores[best] { best = i }
    return best
  }

  /// How many columns a forward pass takes at a time.
  private static let tileColumns = 256
}
