import Basics
import LinearAlgebra
import MPI
import Networks
import Sums

extension Taylor {
  /// Factors a_0 a_0ᵀ + ρ_1 I where ρ_1 is another one now. Collective; two reductions, once a run unless it diverges.
  mutating func factorInputs(_ samples: borrowing Samples, over ranks: borrowing Communicator) throws {
    guard factoredCaution != caution else { return }
    let G = try samples.gram(network, over: ranks)
    do { try systems[1].take(G.all, ridge: caution.ridge(settings.ridge)) } catch let error as LAPACKError {
      throw NumericalError.unsolvable(system: "W_1", reason: error.description)
    }
    factoredCaution = caution
  }

  /// z_l = W_l a_{l−1}, a_l = h(z_l), λ = 0, and the sums for the next W_l. Local.
  public mutating func restart(
    at given: borrowing Layers<Matrix<Float>>, _ samples: borrowing Samples,
    over ranks: borrowing Communicator
  ) throws {
    caution.level += 1
    W.assign(given)
    for l in 1...L { variables.z[l].clear() }
    variables.lambda.clear()
    sums.forget()
    for l in 1...L {
      do { try prepareWeights(l) } catch let error as LAPACKError {
        throw NumericalError.unsolvable(system: "a_\(l - 1)", reason: error.description)
      }
    }
    forEachTile(of: chunks, samples) { passForward($0) }
    sumAgain(samples)
    events.append(caution.ridgeEvent(settings.ridge))
  }

  /// The start values of z_l and λ; from them and the start's a_l the W_l, l = 2 … L; and the first sweep's a_l and
  /// sums. Collective.
  mutating func begin(_ samples: borrowing Samples, seed: UInt64, over ranks: borrowing Communicator) throws {
    if settings.start == .forward {
      W = network.randomWeights(seed: seed)
      firstWeights.assign(weights(1))
      for l in 1..<L { activationSteps[l].assign(W: weights(l + 1)) }
    }
    let firstSample = samples.range.lowerBound
    func setTile(_ tile: TaylorTile) {
      switch settings.start {
      case .gaussian: setNormals(tile, seed: seed, firstSample: firstSample)
      case .forward: passForward(tile)
      }
      addSums(tile)
    }
    // The grids of the sums by the first chunk alone, which is the same one for any number of ranks.
    if chunks.first == 0 { forEachTile(of: [0], samples, setTile) }
    _ = try sums.reduce(over: ranks)
    repeat { forEachTile(of: chunks, samples, setTile) } while try !sums.reduce(over: ranks)
    // W_1 is the next sweep's, from the same z_1.
    if L > 1 { try updateWeights() }
    sumAgain(samples)
  }

  /// Every entry of a_l and z_l is N(0, 1), decided by seed, layer, row and global sample: Taylor et al. (2016),
  /// section 5.
  private func setNormals(_ tile: TaylorTile, seed: UInt64, firstSample: Int) {
    for l in 1...L {
      let random = Philox(seed: seed, stream: UInt32(l))
      let z = tile.z(l)
      for j in 0..<z.columns {
        let sample = firstSample + tile.columns.lowerBound + j
        let a = l < L ? tile.a(l).column(j) : nil
        for i in 0..<z.rows {
          let (output, activation) = random.normalFloats(i, sample)
          z.column(j)[i] = output
          a?[i] = activation
        }
      }
      if l < L { tile.a(l).fillRow(z.rows, with: 1) }
    }
    stackOutputs(tile)
  }

  /// z_{l+1} below a_l where they are summed up together.
  private func stackOutputs(_ tile: TaylorTile) {
    for l in 1..<L where variables.isStacked[l] {
      let (a, next) = (tile.a(l), tile.z(l + 1))
      for j in 0..<next.columns {
        (a.column(j) + a.rows).update(from: next.column(j), count: next.rows)
      }
    }
  }

  /// W_l has independent N(0, 2 / d_{l−1}) entries and no bias (He et al., 2015); z_l = W_l a_{l−1}, a_l = h(z_l).
  private func passForward(_ tile: TaylorTile) {
    for l in 1...L {
      let m = product(l, tile)
      let z = tile.z(l)
      z.assign(m)
      if l < L {
        let a = tile.a(l)
        network.activation.apply(a.rows(0..<z.rows), Tile(z))
        a.fillRow(z.rows, with: 1)
      }
    }
    stackOutputs(tile)
  }
}
