import Basics
import LinearAlgebra
import MPI
import Sums

/// One sum over all samples of which a weight step is made.
package enum LayerSum: Equatable, Sendable {
  /// G_l = Σ a_l a_lᵀ; symmetric, so the upper triangle.
  case gram(Int)
  /// Σ z_l a_{l−1}ᵀ.
  case outputs(Int)
  /// Σ δ_l a_{l−1}ᵀ.
  case deltas(Int)
  /// Σ h'(z_l) x_lᵀ for other inputs x_l than a_{l−1}, of the same shape.
  case slopes(Int)
}

/// The sums of a sweep or a pass, which travel in one reduction: which ones, and how a tile is added to them.
package struct LayerSums: ~Copyable {
  private let kinds: [LayerSum]
  private let layouts: [SumLayout]
  private let activation: Activation
  private var sums: SharedSums

  /// - Parameters:
  ///   - kinds: which sums.
  ///   - network: gives their shapes.
  ///   - partition: how many chunks there are in all.
  ///   - threads: how many threads add chunks.
  ///   - isStacked: whether the tile of a_l has z_{l+1} below its row of ones, in its padding: then z_{l+1} a_lᵀ is
  ///     made by the product a_l a_lᵀ.
  ///   - scalars: how many sums of single numbers travel along.
  package init(
    _ kinds: [LayerSum], _ network: Network, _ partition: Partition, threads: Int = 1,
    isStacked: (Int) -> Bool = { _ in false }, scalars: Int = 0
  ) {
    self.kinds = kinds
    activation = network.activation
    layouts = kinds.map { $0.layout(network, among: kinds, isStacked: isStacked) }
    sums = SharedSums(layouts, partition, threads: threads, scalars: scalars)
  }

  /// Whether the next pass over the chunks only measures sums, to choose grids, and is to be followed by another.
  package var isMeasuring: Bool { sums.isMeasuring }

  /// What decides how the next sums are rounded. Collective.
  package mutating func archive(_ state: any StateArchive) throws { try sums.archive(state) }

  /// How many bytes one reduction moves.
  package var bytes: Int { sums.bytes }

  /// Sums of single numbers that travel in the same message, such as the loss. Whoever adds to them clears them.
  package var scalars: ExactSum {
    // In place: a copy would be of the heap.
    _read { yield sums.scalars }
    _modify { yield &sums.scalars }
  }

  /// Adds a tile to a thread's sums of the chunk at hand. Local. A thread's sums are an object of its own, so that
  /// all threads may add at the same time; nothing that they share is changed.
  ///
  /// - Parameters:
  ///   - a: the tile of a_l, l = 0 … L−1, over a row of ones where there is a bias.
  ///   - kept: what h'(z_l) is read off, for `LayerSum.slopes`.
  ///   - left: the tile of z_l for `outputs`, of δ_l for `deltas`, of x_l for `slopes`; l = 1 … L.
  ///   - meanwhile: called some microseconds apart.
  package func add(
    thread: Int = 0, a: (Int) -> Tile<Float>,
    kept: (Int) -> Tile<Float> = { preconditionFailure("nothing is kept of layer \($0)") },
    left: (Int) -> Tile<Float>, meanwhile: () -> Void = {}
  ) {
    let chunk = sums.accumulators[thread]
    let start = monotonicSeconds()
    defer { chunk.seconds += monotonicSeconds() - start }
    for i in kinds.indices where layouts[i].host == nil {
      let sum = chunk.partial(i)
      switch kinds[i] {
      case .gram(let l):
        let a = a(l)
        let stacked = Tile(base: a.base, rows: sum.rows, columns: a.columns, stride: a.stride)
        addGram(sum, of: stacked, meanwhile: meanwhile)
      case .outputs(let l), .deltas(let l):
        if layouts[i].form == .transposed {
          addProduct(sum, a(l - 1), transposed: left(l), meanwhile: meanwhile)
        } else {
          addProduct(sum, left(l), transposed: a(l - 1), meanwhile: meanwhile)
        }
      case .slopes(let l):
        activation.addSlopes(sum, kept: kept(l), left(l), meanwhile: meanwhile)
      }
    }
  }

  /// Ends a thread's chunk at hand: puts its sums on the grids and adds them to its message. Local; one pass over
  /// the sums. All threads may, as above.
  package func closeChunk(thread: Int = 0) {
    let start = monotonicSeconds()
    sums.closeChunk(thread)
    sums.accumulators[thread].seconds += monotonicSeconds() - start
  }

  /// Seconds that this rank has spent in reductions, waiting for slower ranks included.
  package var reducing: Double { sums.reducing }

  /// Seconds that this rank's threads have spent in sums, on average.
  package var summing: Double { sums.summing }

  /// Adds the threads' and the ranks' messages and reads the totals. Collective; one reduction.
  ///
  /// - Returns: whether every sum lay well on its grid. If not, all chunks must be added anew.
  /// - Throws: `NumericalError.notFinite`, the same on all ranks.
  package mutating func reduce(over ranks: borrowing Communicator) throws -> Bool {
    try sums.reduce(over: ranks)
  }

  /// Forgets what was added and how large sums were: the next pass over the chunks only measures. Local.
  package mutating func forget() { sums.forget() }

  /// The total of a sum over all samples, as last reduced: of a Gram matrix the upper triangle.
  package func total(_ kind: LayerSum) -> Tile<Double> {
    guard let i = kinds.firstIndex(of: kind) else {
      preconditionFailure("\(kind) does not travel in this message")
    }
    return sums.total(i)
  }

  /// How many samples `take` asks for at a time, at the most.
  package static let takenColumns = 256

  /// Sums over all samples at once. Collective; two reductions or more.
  ///
  /// - Parameters:
  ///   - a: some of this rank's columns of a_l, l = 0 … L−1, over a row of ones where there is a bias. Valid until
  ///     the next call.
  ///   - z: the same of z_l, l = 1 … L.
  package mutating func take(
    _ partition: Partition, over ranks: borrowing Communicator,
    a: (_ l: Int, _ columns: Range<Int>) -> Tile<Float>, z: (_ l: Int, _ columns: Range<Int>) -> Tile<Float>
  ) throws {
    repeat {
      for chunk in Cuts(0..<partition.range(of: ranks.rank).count, length: partition.chunk) {
        for tile in Cuts(chunk, length: Self.takenColumns) {
          add(a: { a($0, tile) }, left: { z($0, tile) })
        }
        closeChunk()
      }
    } while try !reduce(over: ranks)
  }
}

extension LayerSum {
  fileprivate func layout(
    _ network: Network, among kinds: [LayerSum], isStacked: (Int) -> Bool
  ) -> SumLayout {
    switch self {
    case .gram(let l):
      let size = network.inputs(l + 1)
      // The row of ones and z_{l+1} lie below a_l.
      let guestRows = l > 0 && isStacked(l) ? network.widths[l] + 1 + network.widths[l + 1] - size : 0
      return SumLayout(name, rows: size, columns: size, form: .symmetric, guestRows: guestRows)
    case .outputs(let l), .deltas(let l), .slopes(let l):
      let (rows, columns) = (network.widths[l], network.inputs(l))
      let host = l > 1 && isStacked(l - 1) ? kinds.firstIndex(of: .gram(l - 1)) : nil
      let isTransposed = host != nil || SumLayout.isTransposed(rows: rows, columns: columns)
      let form: SumLayout.Form =
        if case .slopes = self { .plain } else { isTransposed ? .transposed : .plain }
      return SumLayout(name, rows: rows, columns: columns, form: form, host: host)
    }
  }

  private var name: String {
    switch self {
    case .gram(let l): "a_\(l) a_\(l)ᵀ"
    case .outputs(let l): "z_\(l) a_\(l - 1)ᵀ"
    case .deltas(let l): "δ_\(l) a_\(l - 1)ᵀ"
    case .slopes(let l): "δ_\(l) a_\(l - 1)ᵀ"
    }
  }
}

extension LayerSum {
  /// The sums of a sweep of Algorithm 1, layer by layer: the Gram matrix of the inputs, which for l = 1 never
  /// changes, and the outputs' product with them.
  package static func ofSweep(_ network: Network) -> [LayerSum] {
    (1...network.L).flatMap { l in (l > 1 ? [.gram(l - 1)] : []) + [.outputs(l)] }
  }

  /// How many 64-bit integers a sweep's reduction adds: the entries of its sums, a word for each of these, and the
  /// notices.
  package static func messageWords(_ network: Network) -> Int {
    ofSweep(network).reduce(Notices.count) { words, sum in
      words + sum.layout(network, among: [], isStacked: { _ in false }).entryCount + 1
    }
  }
}
