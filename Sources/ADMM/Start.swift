import LinearAlgebra
import MPI
import Networks

extension Taylor {
  /// The start values of z_l and λ; from them and the start's a_l the W_l, l = 2 … L; and the first sweep's a_l and sums. Collective.
  mutating func begin(over ranks: borrowing Communicator) throws {
    if settings.start == .forward {
      W = network.randomWeights(seed: seed)
      for l in 1...L { withPanels(l) { $0.assign(weights(l)) } }
    }
    let firstSample = partition.range(of: ranks.rank).lowerBound
    func setTile(_ tile: TileVisit) {
      switch settings.start {
      case .gaussian: setNormals(tile, firstSample: firstSample)
      case .forward: passForward(tile)
      }
      addSums(tile)
    }
    // The grids of the sums by the first chunk alone, which is the same one for any number of ranks.
    if firstSample == 0 && a0.columns > 0 { visit(0, workspaces[0], setTile) }
    _ = try sums.reduce(over: ranks)
    repeat { forEachTile(setTile) } while try !sums.reduce(over: ranks)
    // W_1 is the next sweep's, from the same z_1.
    if L > 1 { try updateWeights() }
    sumAgain()
    _ = secondsOfSums()
    seconds = SweepSeconds()
    events = []
  }

  /// Every entry of a_l and z_l is N(0, 1), decided by seed, layer, row and global sample: Taylor et al. (2016), section 5.
  private func setNormals(_ tile: TileVisit, firstSample: Int) {
    for l in 1...L {
      let random = Philox(seed: seed, stream: UInt32(l))
      let z = outputs(l, tile)
      for j in 0..<z.columns {
        let sample = firstSample + tile.columns.lowerBound + j
        let a = l < L ? activations(l, tile).column(j) : nil
        for i in 0..<z.rows {
          let (output, activation) = random.normalFloats(i, sample)
          z.column(j)[i] = output
          a?[i] = activation
        }
      }
      if l < L { activations(l, tile).fillRow(z.rows, with: 1) }
    }
    stackOutputs(tile)
  }

  /// z_{l+1} below a_l where they are summed up together.
  private func stackOutputs(_ tile: TileVisit) {
    for l in 1..<L where isStacked[l] {
      let (a, next) = (activations(l, tile), outputs(l + 1, tile))
      for j in 0..<next.columns {
        (a.column(j) + a.rows).update(from: next.column(j), count: next.rows)
      }
    }
  }

  /// W_l has independent N(0, 2 / d_{l−1}) entries and no bias (He et al., 2015); z_l = W_l a_{l−1}, a_l = h(z_l).
  private func passForward(_ tile: TileVisit) {
    for l in 1...L {
      let m = product(l, tile)
      let z = outputs(l, tile)
      for j in 0..<z.columns { z.column(j).update(from: m.column(j), count: z.rows) }
      if l < L {
        let a = activations(l, tile)
        network.activation.apply(a.rows(0..<z.rows), z)
        a.fillRow(z.rows, with: 1)
      }
    }
    stackOutputs(tile)
  }
}
