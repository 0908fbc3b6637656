import Basics
import LinearAlgebra
import MPI
import Sums
import TestSupport
import Testing

/// Sums over chunks that travel as integers on a grid.
@Suite(.serialized) struct SharedSumsTests {
  private static let layouts = [
    SumLayout("plain", rows: 5, columns: 3, form: .plain),
    SumLayout("transposed", rows: 2, columns: 18, form: .transposed),
    SumLayout("symmetric", rows: 4, columns: 4, form: .symmetric),
  ]

  private static let chunks = 23

  /// Entry (i, j) of chunk k's sum n, as it is computed: normal numbers of the size `scale`.
  private func entry(_ n: Int, _ k: Int, _ i: Int, _ j: Int, scale: Float) -> Float {
    scale * Float(Philox(seed: UInt64(n), stream: UInt32(k)).normal(i, j))
  }

  /// Puts the sums of some chunks into accumulators. Which thread has which chunk, `thread` says.
  private func add(
    _ sums: borrowing SharedSums, _ chunks: [Int], scale: Float, thread: (Int) -> Int = { _ in 0 }
  ) {
    for k in chunks {
      let own = sums.accumulators[thread(k)]
      for (n, layout) in Self.layouts.enumerated() {
        let partial = own.partial(n)
        for j in 0..<layout.columns {
          // What a symmetric sum has below its diagonal does not count.
          for i in 0..<layout.rows { partial.column(j)[i] += entry(n, k, i, j, scale: scale) }
        }
      }
      sums.closeChunk(thread(k))
    }
  }

  /// This rank's chunks of all.
  private func own(_ ranks: borrowing Communicator) -> [Int] {
    let range = Partition(samples: Self.chunks, ranks: ranks.size, chunk: 1).range(of: ranks.rank)
    return Array(range)
  }

  private func make(_ ranks: borrowing Communicator, threads: Int = 1) -> SharedSums {
    SharedSums(
      Self.layouts, Partition(samples: Self.chunks, ranks: ranks.size, chunk: 1), threads: threads)
  }

  /// The totals as they are meant: of the symmetric one the upper triangle.
  private func totals(_ sums: borrowing SharedSums) -> [[[Double]]] {
    var totals = [sums.total(0).nested, sums.total(1).nested, sums.total(2).nested]
    for i in 0..<4 { for j in 0..<i { totals[2][i][j] = 0 } }
    return totals
  }

  private func expected(scale: Float) -> [[[Double]]] {
    Self.layouts.enumerated().map { n, layout in
      func sum(_ i: Int, _ j: Int) -> Double {
        (0..<Self.chunks).reduce(0) { $0 + Double(entry(n, $1, i, j, scale: scale)) }
      }
      let (rows, columns) = (layout.rows, layout.columns)
      return switch layout.form {
      case .plain: (0..<rows).map { i in (0..<columns).map { sum(i, $0) } }
      case .transposed: (0..<columns).map { j in (0..<rows).map { sum($0, j) } }
      case .symmetric: (0..<rows).map { i in (0..<columns).map { i > $0 ? 0 : sum(i, $0) } }
      }
    }
  }

  /// The grid gives the largest total some 44 bits; 20 fewer in the pass in which it shrinks.
  private func expectNear(
    _ sums: borrowing SharedSums, scale: Float, within bound: Double = 1e-11, _ what: String
  ) {
    for (n, (own, other)) in zip(totals(sums), expected(scale: scale)).enumerated() {
      let distance = relativeDistance(own, other)
      #expect(distance < bound, "\(what): \(Self.layouts[n].name) is off by \(distance)")
    }
  }

  /// The same bits in any order, on any number of threads and ranks.
  @Test func anyOrderGivesTheSameBits() throws {
    try TestWorld.with { ranks in
      let own = own(ranks)
      let orders: [(threads: Int, order: [Int], thread: (Int) -> Int)] = [
        (1, own, { _ in 0 }), (1, own.reversed(), { _ in 0 }), (3, own, { $0 % 3 }),
        (2, own.reversed(), { $0 < 7 ? 1 : 0 }),
      ]
      var first: [[[Double]]]? = nil
      for (threads, order, thread) in orders {
        var sums = make(ranks, threads: threads)
        let begins = sums.isMeasuring
        #expect(begins)
        add(sums, order, scale: 1, thread: thread)
        let isMeasured = try !sums.reduce(over: ranks)
        let goesOn = sums.isMeasuring
        #expect(isMeasured && !goesOn, "the first pass chooses the grids")
        add(sums, order, scale: 1, thread: thread)
        let isGood = try sums.reduce(over: ranks)
        #expect(isGood)
        expectNear(sums, scale: 1, "\(threads) threads")
        let found = totals(sums)
        #expect(first == nil || found == first, "\(threads) threads")
        first = found
        // All ranks have the same.
        let bits = found.flatMap { $0.flatMap { $0 } }
        let everywhere = try ranks.gather(bits)
        #expect(everywhere.allSatisfy { $0 == bits })
      }
    }
  }

  /// A little growth lies on the grid that there is; much more or much less is measured and added anew.
  @Test(arguments: [(2, 1), (0.5, 1), (1e6, 3), (1e-9, 3), (1e30, 3), (0, 3)] as [(Float, Int)])
  func theGridFollowsTheSums(growth: Float, passes: Int) throws {
    try TestWorld.with { ranks in
      let own = own(ranks)
      var sums = make(ranks)
      repeat { add(sums, own, scale: 1) } while try !sums.reduce(over: ranks)
      var count = 0
      repeat {
        add(sums, own, scale: growth)
        count += 1
      } while try !sums.reduce(over: ranks)
      #expect(count == passes)
      expectNear(sums, scale: growth, "grown \(growth) times")
      // And back again.
      for bound in [1e-6, 1e-11] {
        repeat { add(sums, own, scale: 1) } while try !sums.reduce(over: ranks)
        expectNear(sums, scale: 1, within: bound, "after growth by \(growth)")
      }
    }
  }

  /// A chunk whose sum is no number, on the last rank alone, is an error on all, which names the sum; whether it was
  /// measured or added.
  @Test(arguments: [Float.nan, .infinity, -.infinity], [true, false])
  func whatIsNotFiniteIsNamedOnAllRanks(value: Float, isFirst: Bool) throws {
    try TestWorld.with { ranks in
      let own = own(ranks)
      var sums = make(ranks)
      if !isFirst { repeat { add(sums, own, scale: 1) } while try !sums.reduce(over: ranks) }
      let error = #expect(throws: NumericalError.self) {
        repeat {
          add(sums, own.dropLast(), scale: 1)
          if own.contains(Self.chunks - 1) { sums.accumulators[0].partial(1).column(1)[3] = value }
          if !own.isEmpty { add(sums, own.suffix(1), scale: 1) }
        } while try !sums.reduce(over: ranks)
      }
      #expect(error == .notFinite(sum: "transposed"))
    }
  }
}
