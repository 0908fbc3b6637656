import LinearAlgebra
import MPI

/// The objective (O) and how well its constraints hold.
public struct Objective: Sendable {
  /// ℓ(z_L, y) + ⟨z_L, λ⟩ + Σ β_l ‖z_l − W_l a_{l−1}‖² + Σ γ_l ‖a_l − h(z_l)‖², summed over samples.
  public var value = 0.0
  /// ℓ(z_L, y), summed over samples.
  public var loss = 0.0
  /// ‖z_l − W_l a_{l−1}‖ / ‖z_l‖ over the hidden layers together.
  public var outputResidual = 0.0
  /// ‖z_L − W_L a_{L−1}‖ / ‖z_L‖.
  public var lastOutputResidual = 0.0
  /// ‖a_l − h(z_l)‖ / ‖a_l‖ over the hidden layers together.
  public var activationResidual = 0.0
  /// ‖λ‖∞.
  public var largestMultiplier = 0.0
}

extension Taylor {
  /// The objective at the present iterate. Collective; two small reductions. The same bits for any number of ranks.
  public func objective(over ranks: borrowing Communicator) throws -> Objective {
    // Sums: loss, ⟨z, λ⟩, then squared norms of z_l − W_l a_{l−1}, z_l, a_l − h(z_l), a_l for each layer.
    var sums = ExactSum(count: 2 + 4 * L)
    let h = Matrix<Float>(rows: work.rows, columns: Self.tileColumns)
    var largest: Float = 0
    for chunk in chunks {
      for tile in tiles(of: chunk) {
        sums.add(network.loss.value(z[L].columns(tile), y: y.columns(tile)), to: 0)
        sums.add(innerProduct(z[L].columns(tile), lambda.columns(tile)), to: 1)
        largest = max(largest, largestMagnitude(lambda.columns(tile)))
        for l in 1...L {
          let m = work.columns(0..<tile.count).rows(0..<network.widths[l])
          let outputs = z[l].columns(tile)
          multiply(m, weights(l), inputs(l - 1, tile))
          sums.add(squaredDistance(outputs, m), to: 4 * l - 2)
          sums.add(innerProduct(outputs, outputs), to: 4 * l - 1)
          guard l < L else { continue }
          let active = a[l].columns(tile).rows(0..<network.widths[l])
          let image = h.columns(0..<tile.count).rows(0..<network.widths[l])
          network.activation.apply(image, outputs)
          sums.add(squaredDistance(active, image), to: 4 * l)
          sums.add(innerProduct(active, active), to: 4 * l + 1)
        }
      }
    }
    try sums.reduce(over: ranks)
    var result = Objective()
    result.loss = sums[0]
    result.value = sums[0] + sums[1]
    var hidden = (distance: 0.0, norm: 0.0)
    var active = (distance: 0.0, norm: 0.0)
    for l in 1...L {
      result.value += Double(settings.beta[l - 1]) * sums[4 * l - 2]
      if l == L {
        result.lastOutputResidual = ratio(sums[4 * l - 2], sums[4 * l - 1])
      } else {
        result.value += Double(settings.gamma[l - 1]) * sums[4 * l]
        hidden = (hidden.distance + sums[4 * l - 2], hidden.norm + sums[4 * l - 1])
        active = (active.distance + sums[4 * l], active.norm + sums[4 * l + 1])
      }
    }
    result.outputResidual = ratio(hidden.distance, hidden.norm)
    result.activationResidual = ratio(active.distance, active.norm)
    result.largestMultiplier = Double(try ranks.max(largest))
    return result
  }
}

private func ratio(_ distance: Double, _ norm: Double) -> Double {
  norm > 0 ? (distance / norm).squareRoot() : 0
}

/// Σ x y.
private func innerProduct(_ x: Tile<Float>, _ y: Tile<Float>) -> Double {
  var sum = 0.0
  for j in 0..<x.columns {
    let (x, y, rows) = (x.column(j), y.column(j), x.rows)
    for i in 0..<rows { sum += Double(x[i]) * Double(y[i]) }
  }
  return sum
}

/// Σ (x − y)².
private func squaredDistance(_ x: Tile<Float>, _ y: Tile<Float>) -> Double {
  var sum = 0.0
  for j in 0..<x.columns {
    let (x, y, rows) = (x.column(j), y.column(j), x.rows)
    for i in 0..<rows {
      let difference = Double(x[i]) - Double(y[i])
      sum += difference * difference
    }
  }
  return sum
}

/// max |x|.
private func largestMagnitude(_ x: Tile<Float>) -> Float {
  var largest: Float = 0
  for j in 0..<x.columns {
    let (x, rows) = (x.column(j), x.rows)
    for i in 0..<rows { largest = max(largest, abs(x[i])) }
  }
  return largest
}
