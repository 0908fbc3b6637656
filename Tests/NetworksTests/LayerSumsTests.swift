import LinearAlgebra
import MPI
import Networks
import Sums
import TestSupport
import Testing

/// The sums of layers against plain loops: of small whole numbers they are exact, whatever the layout.
@Suite(.serialized) struct LayerSumsTests {
  /// Whole numbers in −4…4 for all samples: a_l over a row of ones, and z_l, x_l or δ_l. What is below them is up to
  /// the layout.
  private struct Numbers {
    let network: Network
    let a, z: [[[Int]]]

    init(_ network: Network, samples: Int) {
      var random = SeededGenerator(seed: 91)
      func whole(_ rows: Int) -> [[Int]] {
        (0..<samples).map { _ in (0..<rows).map { _ in Int.random(in: -4...4, using: &random) } }
      }
      self.network = network
      a = network.widths.map { d in whole(d).map { $0 + [1] } }
      z = network.widths.map(whole)
    }

    /// Some samples of a_l; below the row of ones z_{l+1}, as far as there is room, where they are stacked.
    func inputs(_ l: Int, _ samples: Range<Int>, isStacked: Bool) -> Matrix<Float> {
      Matrix(rows: paddedRows(network.widths[l] + 1), columns: samples.count) { i, j in
        let below = isStacked ? z[l + 1][samples.lowerBound + j] : []
        let column = a[l][samples.lowerBound + j] + below
        return i < column.count ? Float(column[i]) : 0
      }
    }

    func outputs(_ l: Int, _ samples: Range<Int>) -> Matrix<Float> {
      Matrix(rows: paddedRows(network.widths[l]), columns: samples.count) { i, j in
        i < network.widths[l] ? Float(z[l][samples.lowerBound + j][i]) : 0
      }
    }

    /// Σ x yᵀ over all samples.
    func product(_ x: [[Int]], rows: Int, _ y: [[Int]], columns: Int) -> [[Double]] {
      (0..<rows).map { i in
        (0..<columns).map { j in Double(zip(x, y).reduce(0) { $0 + $1.0[i] * $1.1[j] }) }
      }
    }

    func expected(_ kind: LayerSum) -> [[Double]] {
      switch kind {
      case .gram(let l):
        let size = network.inputs(l + 1)
        return product(a[l], rows: size, a[l], columns: size)
      case .outputs(let l), .deltas(let l):
        return product(z[l], rows: network.widths[l], a[l - 1], columns: network.inputs(l))
      case .slopes(let l):
        // h' of ReLU at a_l, and x_l in the place of the inputs.
        let slopes = a[l].map { $0.map { $0 > 0 ? 1 : 0 } }
        return product(slopes, rows: network.widths[l], a[l - 1], columns: network.inputs(l))
      }
    }
  }

  /// Wide and narrow, with one output and with many: sums that are computed as they are and transposed.
  private static let networks = [[5, 20, 1], [20, 33, 3], [3, 2, 40, 17], [16, 16, 16], [9, 1, 2]].flatMap {
    [
      Network(widths: $0, activation: .relu, loss: .square, bias: true),
      Network(widths: $0, activation: .relu, loss: .square, bias: false),
    ]
  }

  /// Adds all chunks of this rank, each on some thread, until the grids fit; then compares every total.
  private func expectSums(
    _ kinds: [LayerSum], _ numbers: Numbers, threads: Int, isStacked: (Int) -> Bool = { _ in false },
    over ranks: borrowing Communicator
  ) throws {
    let (network, samples, chunk) = (numbers.network, numbers.z[0].count, 8)
    let partition = Partition(samples: samples, ranks: ranks.size, chunk: chunk)
    let own = partition.range(of: ranks.rank)
    var sums = LayerSums(
      kinds, network, partition, threads: threads, isStacked: isStacked, scalars: 2)
    let begins = sums.isMeasuring
    #expect(begins)
    var passes = 0
    repeat {
      passes += 1
      sums.scalars.clear()
      for (k, range) in Cuts(own, length: chunk).enumerated() {
        let thread = k % threads
        for tile in Cuts(range, length: 5) {
          var a: [Matrix<Float>.Kept] = []
          var z: [Matrix<Float>.Kept] = []
          for l in 0...network.L {
            a.append(.init(numbers.inputs(l, tile, isStacked: l > 0 && l < network.L && isStacked(l))))
            z.append(.init(numbers.outputs(l, tile)))
          }
          sums.add(
            thread: thread, a: { a[$0].matrix.rows(0..<network.inputs($0 + 1)) },
            kept: { a[$0].matrix.rows(0..<network.widths[$0]) },
            left: { l in
              // What `slopes` multiplies has the shape of the inputs.
              kinds.contains(.slopes(l))
                ? a[l - 1].matrix.rows(0..<network.inputs(l)) : z[l].matrix.rows(0..<network.widths[l])
            })
        }
        sums.closeChunk(thread: thread)
        sums.scalars.add(Double(range.count), to: 0)
        sums.scalars.add(0.5, to: 1)
      }
    } while try !sums.reduce(over: ranks)
    #expect(passes == 2, "one that measures and one that adds")
    for kind in kinds {
      var (found, expected) = (sums.total(kind).nested, numbers.expected(kind))
      if case .gram = kind {
        for i in expected.indices { for j in 0..<i { (found[i][j], expected[i][j]) = (0, 0) } }
      }
      #expect(found == expected, "\(kind) of \(network.widths), \(threads) threads")
    }
    #expect(sums.scalars[0] == Double(samples) && sums.scalars[1] == 0.5 * Double(partition.chunks))
  }

  @Test(arguments: networks, [1, 3]) func sumsOfASweep(network: Network, threads: Int) throws {
    let numbers = Numbers(network, samples: 61)
    try TestWorld.with { ranks in
      try expectSums(LayerSum.ofSweep(network) + [.gram(0)], numbers, threads: threads, over: ranks)
      try expectSums((1...network.L).map { .deltas($0) }, numbers, threads: threads, over: ranks)
    }
  }

  /// z_{l+1} a_lᵀ as a guest of a_l a_lᵀ, where the padding of a_l has room for it, without a bias below a row of
  /// ones that does not count.
  @Test(arguments: networks, [1, 3]) func sumsOfStackedTiles(network: Network, threads: Int) throws {
    let numbers = Numbers(network, samples: 61)
    let d = network.widths
    func isStacked(_ l: Int) -> Bool {
      l > 0 && l < network.L && ActivationStep.stacksOutputs(from: d[l + 1], to: d[l])
    }
    try TestWorld.with { ranks in
      try expectSums(LayerSum.ofSweep(network), numbers, threads: threads, isStacked: isStacked, over: ranks)
    }
  }

  /// That the two tests above see guests, and sums of either form.
  @Test func theNetworksHaveEveryLayout() {
    var (stacked, forms) = (0, Set<Bool>())
    for network in Self.networks {
      for l in 1...network.L {
        forms.insert(SumLayout.isTransposed(rows: network.widths[l], columns: network.inputs(l)))
        guard l < network.L else { continue }
        if ActivationStep.stacksOutputs(from: network.widths[l + 1], to: network.widths[l]) { stacked += 1 }
      }
    }
    #expect(stacked >= 4 && forms.count == 2)
  }

  @Test(arguments: [[20, 33, 1], [5, 8, 1]], [1, 3]) func sumsOfSlopes(widths: [Int], threads: Int) throws {
    let network = Network(widths: widths, activation: .relu, loss: .square, bias: true)
    let numbers = Numbers(network, samples: 61)
    try TestWorld.with { ranks in
      try expectSums([.slopes(1), .deltas(2), .gram(1)], numbers, threads: threads, over: ranks)
    }
  }

  /// All at once, and the bytes of the message.
  @Test func sumsThatAreTaken() throws {
    let network = Network(widths: [5, 20, 3], activation: .relu, loss: .square, bias: true)
    let numbers = Numbers(network, samples: 600)
    try TestWorld.with { ranks in
      let partition = Partition(samples: 600, ranks: ranks.size, chunk: 300)
      let own = partition.range(of: ranks.rank)
      let a = numbers.inputs(1, own, isStacked: false)
      let z = numbers.outputs(2, own)
      var sums = LayerSums([.gram(1), .outputs(2)], network, partition)
      // The sums, a word each, and the notices.
      #expect(sums.bytes == 8 * (21 * 22 / 2 + 3 * 21 + 2 + Notices.count))
      try sums.take(
        partition, over: ranks, a: { _, columns in a.columns(columns).rows(0..<21) },
        z: { _, columns in z.columns(columns).rows(0..<3) })
      #expect(sums.total(.outputs(2)).nested == numbers.expected(.outputs(2)))
      let (found, expected) = (sums.total(.gram(1)).nested, numbers.expected(.gram(1)))
      for i in 0..<21 { #expect(found[i][i...] == expected[i][i...], "row \(i)") }
    }
  }
}

extension Matrix where Element == Float {
  /// A matrix in an array.
  fileprivate final class Kept {
    let matrix: Matrix<Float>

    init(_ matrix: consuming Matrix<Float>) { self.matrix = matrix }
  }
}
