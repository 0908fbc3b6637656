import Glibc
import MPI
import TestSupport
import Testing

/// Every verb with values that depend on the rank and the number of ranks; every rank asserts.
///
/// To be run under `mpirun` on 1, 2, 3 and 4 ranks.
@Suite(.serialized) struct CommunicatorTests {
  @Test func theJobHasTheRanksThatWereStarted() throws {
    // As Open MPI's launcher tells it, and MPICH's.
    let variable = getenv("OMPI_COMM_WORLD_SIZE") ?? getenv("PMI_SIZE")
    let started = variable.map { Int(String(cString: $0)) ?? 0 } ?? 1
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      #expect(size == started)
      #expect((0..<size).contains(rank))
      let roots = try ranks.sum(ranks.isRoot ? 1 : 0)
      #expect(roots == 1)
      let everyRank = try ranks.gather([rank])
      #expect(everyRank == (0..<size).map { [$0] })
    }
  }

  @Test func sumsOfEveryElementType() throws {
    try expectSum(of: UInt8.self)
    try expectSum(of: Int32.self)
    try expectSum(of: Int64.self)
    try expectSum(of: Int.self)
    try expectSum(of: Float.self)
    try expectSum(of: Double.self)
  }

  /// Whole numbers, so that the sum is exact in every type.
  private func expectSum<T: MPINumber & Numeric>(of type: T.Type) throws {
    func number(_ x: Int) -> T { T(exactly: x) ?? 0 }
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      let triangle = size * (size + 1) / 2
      var x = (1...5).map { number($0 * (rank + 1)) }
      try ranks.sum(&x)
      #expect(x == (1...5).map { number($0 * triangle) })
      try x.withUnsafeMutableBufferPointer { try ranks.sum(UnsafeMutableBufferPointer(rebasing: $0[1..<3])) }
      #expect(x == [1, 2 * size, 3 * size, 4, 5].map { number($0 * triangle) })
      let one = try ranks.sum(number(rank + 1))
      #expect(one == number(triangle))
      var nothing: [T] = []
      try ranks.sum(&nothing)
      #expect(nothing.isEmpty)
    }
  }

  @Test func extremesOfEveryElementType() throws {
    try expectExtremes(of: UInt8.self)
    try expectExtremes(of: Int32.self)
    try expectExtremes(of: Int64.self)
    try expectExtremes(of: Int.self)
    try expectExtremes(of: Float.self)
    try expectExtremes(of: Double.self)
  }

  private func expectExtremes<T: MPINumber & Numeric>(of type: T.Type) throws {
    func number(_ x: Int) -> T { T(exactly: x) ?? 0 }
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      // The second entry runs against the order of the ranks; the third goes round.
      let own = [rank, 100 - rank, (rank + 1) % size].map(number)
      var largest = own
      try ranks.max(&largest)
      #expect(largest == [size - 1, 100, size - 1].map(number))
      var smallest = own
      try ranks.min(&smallest)
      #expect(smallest == [0, 101 - size, 0].map(number))
      let (most, least) = (try ranks.max(own[1]), try ranks.min(own[1]))
      #expect(most == number(100))
      #expect(least == number(101 - size))
    }
  }

  @Test func sumsOfNegativeAndBrokenNumbers() throws {
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      var x = [-1.5 * Double(rank + 1), rank == size - 1 ? Double.infinity : 0, 0.25]
      try ranks.sum(&x)
      #expect(x == [-0.75 * Double(size * (size + 1)), .infinity, 0.25 * Double(size)])
      let least = try ranks.min(-rank)
      #expect(least == 1 - size)
    }
  }

  @Test func broadcastFromEveryRank() throws {
    try TestWorld.with { ranks in
      let rank = ranks.rank
      for root in 0..<ranks.size {
        // Every rank brings another length; root's counts.
        var x = [Float](repeating: Float(rank), count: rank + 2)
        try ranks.broadcast(&x, from: root)
        #expect(x == [Float](repeating: Float(root), count: root + 2))
        var none: [Int] = rank == root ? [] : [1, 2]
        try ranks.broadcast(&none, from: root)
        #expect(none.isEmpty)
        let text = try ranks.broadcast("Zürich \(rank) λ", from: root)
        #expect(text == "Zürich \(root) λ")
      }
    }
  }

  @Test func gatherPartsOfDifferentLengths() throws {
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      let parts = try ranks.gather([Int](repeating: 10 + rank, count: rank))
      #expect(parts == (0..<size).map { [Int](repeating: 10 + $0, count: $0) })
      let nothing = try ranks.gather([Double]())
      #expect(nothing == [[Double]](repeating: [], count: size))
      let texts = try ranks.gather(rank % 2 == 0 ? "" : "rank \(rank) ß")
      #expect(texts == (0..<size).map { $0 % 2 == 0 ? "" : "rank \($0) ß" })
    }
  }

  @Test func sumOfLowerRanks() throws {
    try TestWorld.with { ranks in
      let rank = ranks.rank
      let before = try ranks.sumOfLowerRanks(rank + 5)
      #expect(before == (0..<rank).reduce(0) { $0 + $1 + 5 })
    }
  }

  /// A number goes up from rank to rank; each adds its own.
  @Test func sendAndReceiveAlongTheRanks() throws {
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      var x: [Double] = rank == 0 ? [0.5, 0, -1] : [0, 0, 0]
      try x.withUnsafeMutableBufferPointer { buffer in
        if rank > 0 { try ranks.receive(buffer, from: rank - 1) }
        for i in buffer.indices { buffer[i] += Double(rank * (i + 1)) }
        if rank + 1 < size { try ranks.send(UnsafeBufferPointer(buffer), to: rank + 1) }
      }
      let triangle = Double(rank * (rank + 1) / 2)
      #expect(x == [0.5 + triangle, 2 * triangle, -1 + 3 * triangle])
    }
  }

  /// What rank `from` sends to rank `to`: each element says where it comes from and goes.
  private func parcel(from: Int, to: Int, count: Int) -> [Int32] {
    (0..<count).map { Int32(10_000 * from + 100 * to + $0) }
  }

  @Test func exchangeUnevenAndEmptyParts() throws {
    let patterns: [(String, (Int, Int) -> Int)] = [
      ("every part of one length", { _, _ in 3 }),
      ("lengths 0, 1, 2 in turn", { from, to in (from + 2 * to) % 3 }),
      ("all to rank 0", { from, to in to == 0 ? from + 1 : 0 }),
      ("all from rank 0", { from, to in from == 0 ? 2 * to : 0 }),
      ("only to oneself", { from, to in from == to ? 4 : 0 }),
      ("nothing", { _, _ in 0 }),
      ("long parts", { from, to in 20_000 + from - to }),
    ]
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      for (name, count) in patterns {
        let sent = (0..<size).flatMap { parcel(from: rank, to: $0, count: count(rank, $0)) }
        let received = try sent.withUnsafeBufferPointer {
          try ranks.exchange($0, sendCounts: (0..<size).map { count(rank, $0) })
        }
        #expect(received.counts == (0..<size).map { count($0, rank) }, "\(name)")
        let expected = (0..<size).flatMap { parcel(from: $0, to: rank, count: count($0, rank)) }
        #expect(received.elements == expected, "\(name)")
      }
    }
  }

  @Test func everyRankHasAHost() throws {
    try TestWorld.with { ranks in
      let (rank, size) = (ranks.rank, ranks.size)
      let own = try ranks.hostName()
      let names = try ranks.gather(own)
      #expect(names.count == size && names[rank] == own)
      #expect(names.allSatisfy { !$0.isEmpty && !$0.contains("\0") }, "\(names)")
    }
  }

  /// A text for a line of the banner, whatever the library puts between its words.
  @Test func theLibraryHasANameAndAVersion() {
    let version = Job.libraryVersion()
    #expect(version.contains("MPI") && version.contains(where: \.isNumber), "\(version)")
    #expect(!version.unicodeScalars.contains { $0.value < 32 }, "\(version)")
  }
}
