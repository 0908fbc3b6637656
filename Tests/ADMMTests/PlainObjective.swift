import ADMM
import Definitions
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport

/// The objective (O) and the sum of its terms' magnitudes, which is what rounding is relative to.
struct PlainObjective {
  var value = 0.0
  var scale = 0.0

  private mutating func add(_ term: Double) {
    value += term
    scale += abs(term)
  }

  /// Summed over all ranks. Collective.
  init(_ taylor: PlainTaylor, over ranks: borrowing Communicator) throws {
    let network = taylor.network
    let (L, x, y) = (network.L, taylor.inputs(1), taylor.targets)
    for n in 0..<x.columns {
      var input = (0..<x.rows).map { Double(x.column(n)[$0]) }
      for l in 1...L {
        let z = (0..<network.widths[l]).map { Double(taylor.z[l][$0, n]) }
        for i in z.indices {
          var m = 0.0
          for j in input.indices { m += Double(taylor.W[l][i, j]) * input[j] }
          add(Double(taylor.beta[l - 1]) * pow(z[i] - m, 2))
        }
        if l == L {
          add(plain(network.loss, z, z.indices.map { Double(y.column(n)[$0]) }))
          for i in z.indices { add(z[i] * Double(taylor.lambda[i, n])) }
        } else {
          input = (0..<network.inputs(l + 1)).map { Double(taylor.a[l][$0, n]) }
          for i in z.indices {
            add(Double(taylor.gamma[l - 1]) * pow(input[i] - plain(network.activation, z[i]), 2))
          }
        }
      }
    }
    value = try ranks.sum(value)
    scale = try ranks.sum(scale)
  }
}
