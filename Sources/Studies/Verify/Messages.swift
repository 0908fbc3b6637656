import Basics
import LinearAlgebra
import MPI
import Reports
import Sums

// What ranks send each other, against what each can work out by itself. Every number is a function of its sender, its
// receiver and its place.

private let messageAdvice =
  "Messages between these hosts arrive wrong: check the MPI library and its network settings (mpirun --mca btl, UCX), "
  + "and try the ranks of one host alone."

/// Number i of what one rank sends to another.
private func number(_ from: Int, _ to: Int, _ i: Int) -> Int64 {
  Int64(from * 1_000_003 + to * 7919 + i * 31 + 1)
}

extension Check {
  /// Sums of `ExactSum` over all ranks, to the bit those that a rank makes of all ranks' numbers, and of whole numbers.
  ///
  /// - Parameter reduce: adds up over ranks.
  package static func exactSums(
    _ reduce: @escaping @Sendable (inout ExactSum, borrowing Communicator) throws -> Void = {
      try $0.reduce(over: $1)
    }
  ) -> Check {
    Check(name: "exact sums", advice: messageAdvice) { site, ranks in
      let count = max((site.isQuick ? 20_000 : 200_000) / ranks.size, 10)
      /// Of any size, and so many 2⁻²⁰ths.
      func addends(_ rank: Int, _ body: (Double, Int) -> Void) {
        var random = Draws(seed: UInt64(rank))
        for _ in 0..<count {
          let whole = Int(bitPattern: UInt(random.bits())) >> 24
          body(
            random.normal() * Double(sign: .plus, exponent: random.index(200) - 100, significand: 1), whole)
        }
      }
      func add(_ rank: Int, to sum: inout ExactSum, _ total: inout Int) {
        addends(rank) { x, whole in
          sum.add(x, to: 0)
          sum.add(Double(whole) * 0x1p-20, to: 1)
          total += whole
        }
      }
      var (own, serial, total, ignored) = (ExactSum(count: 2), ExactSum(count: 2), 0, 0)
      add(ranks.rank, to: &own, &ignored)
      for rank in 0..<ranks.size { add(rank, to: &serial, &total) }
      try reduce(&own, ranks)
      var faults = Faults()
      faults.expect(
        own[0].bitPattern == serial[0].bitPattern,
        "the sum over ranks is \(own[0]), that of the same numbers on one rank is \(serial[0])")
      faults.expect(
        own[1] == Double(total) * 0x1p-20,
        "the sum over ranks is \(own[1]), that of whole numbers is \(Double(total) * 0x1p-20)")
      return Finding(
        faults.first, else: "\(grouped(count * ranks.size)) numbers added over \(counted(ranks.size, "rank"))"
      )
    }
  }

  /// Reductions of long messages, as long as those of wide layers.
  ///
  /// - Parameter sum: adds up over ranks, in place.
  package static func longSums(
    _ sum: @escaping @Sendable (UnsafeMutableBufferPointer<Int64>, borrowing Communicator) throws -> Void = {
      try $1.sum($0)
    }
  ) -> Check {
    Check(name: "long sums", advice: messageAdvice) { site, ranks in
      var faults = Faults()
      let counts = [1, 1_000, 54_455, site.isQuick ? 1 << 20 : 1 << 23]
      for count in counts {
        var x = Matrix<Int64>(rows: count, columns: 1)
        for i in 0..<count { x.mutableBase[i] = number(ranks.rank, 0, i) }
        try sum(x.mutableElements, ranks)
        let all = Int64(ranks.size * (ranks.size - 1) / 2) * 1_000_003
        let wrong = (0..<count).first { x.base[$0] != all + Int64(ranks.size) * number(0, 0, $0) }
        faults.expect(wrong == nil, "number \(wrong ?? 0) of a sum of \(grouped(count)) is wrong")
      }
      let size = bytes(8 * (counts.last ?? 0))
      return Finding(
        faults.first, else: "up to \(size) added over \(counted(ranks.size, "rank")) as it must be")
    }
  }

  /// Every other call of MPI that the program makes, with messages of any length.
  ///
  /// - Parameter arrived: is given all that comes in.
  package static func messages(
    _ arrived: @escaping @Sendable (_ call: String, _ x: inout [Int64]) -> Void = { _, _ in }
  ) -> Check {
    Check(name: "messages", advice: messageAdvice) { site, ranks in
      var mail = Mail(arrived)
      // Up to a byte more than any network sends at once without asking.
      for count in [0, 1, 1_000, site.isQuick ? 200_000 : 2_000_000] {
        try mail.exchange(count, over: ranks)
        try mail.broadcast(count, over: ranks)
        try mail.gather(min(count, max((1 << 20) / ranks.size, 1)), over: ranks)
        try mail.send(count, over: ranks)
      }
      try mail.fold(over: ranks)
      return Finding(
        mail.faults.first, else: "exchange, broadcast, gather, send, prefix sums, extremes, texts")
    }
  }
}

/// Sends numbers by one call after the other, and looks at what comes.
private struct Mail {
  let arrived: (_ call: String, _ x: inout [Int64]) -> Void
  var faults = Faults()

  init(_ arrived: @escaping (_ call: String, _ x: inout [Int64]) -> Void) { self.arrived = arrived }

  private mutating func expect(_ x: [Int64], of call: String, from: Int, to: Int, count: Int) {
    var x = x
    arrived(call, &x)
    faults.expect(x.count == count, "\(call): \(x.count) numbers came from rank \(from), and not \(count)")
    let wrong = x.indices.first { x[$0] != number(from, to, $0) }
    faults.expect(
      wrong == nil, "\(call): number \(wrong ?? 0) of \(grouped(count)) from rank \(from) is wrong")
  }

  private func numbers(_ from: Int, _ to: Int, _ count: Int) -> [Int64] {
    (0..<count).map { number(from, to, $0) }
  }

  /// Many to the next rank, few to the others.
  mutating func exchange(_ count: Int, over ranks: borrowing Communicator) throws {
    let (own, size) = (ranks.rank, ranks.size)
    func length(_ from: Int, _ to: Int) -> Int {
      (from + 1) % size == to ? count : min(count, (from + to) % 3)
    }
    let sent = (0..<size).flatMap { numbers(own, $0, length(own, $0)) }
    let (elements, counts) = try sent.withUnsafeBufferPointer { sent throws(MPIError) in
      try ranks.exchange(sent, sendCounts: (0..<size).map { length(own, $0) })
    }
    var start = 0
    for (from, count) in counts.enumerated() {
      expect(
        Array(elements[start..<start + count]), of: "exchange", from: from, to: own, count: length(from, own))
      start += count
    }
  }

  mutating func broadcast(_ count: Int, over ranks: borrowing Communicator) throws {
    for root in Set([0, ranks.size / 2, ranks.size - 1]).sorted() {
      var x = ranks.rank == root ? numbers(root, 0, count) : []
      try ranks.broadcast(&x, from: root)
      expect(x, of: "broadcast", from: root, to: 0, count: count)
    }
  }

  mutating func gather(_ count: Int, over ranks: borrowing Communicator) throws {
    func length(_ rank: Int) -> Int { count / (1 + rank % 3) }
    let all = try ranks.gather(numbers(ranks.rank, 0, length(ranks.rank)))
    for (from, x) in all.enumerated() { expect(x, of: "gather", from: from, to: 0, count: length(from)) }
  }

  /// From every rank to rank 0, as texts are written in order.
  mutating func send(_ count: Int, over ranks: borrowing Communicator) throws {
    guard ranks.isRoot else {
      return try numbers(ranks.rank, 0, count).withUnsafeBufferPointer { x throws(MPIError) in
        try ranks.send(x, to: 0)
      }
    }
    for from in 1..<max(ranks.size, 1) {
      var x = [Int64](repeating: 0, count: count)
      try x.withUnsafeMutableBufferPointer { x throws(MPIError) in try ranks.receive(x, from: from) }
      expect(x, of: "send", from: from, to: 0, count: count)
    }
  }

  /// Prefix sums, extremes, and numbers and texts of other types.
  mutating func fold(over ranks: borrowing Communicator) throws {
    let (rank, size) = (ranks.rank, ranks.size)
    try ranks.barrier()
    let below = try ranks.sumOfLowerRanks(rank + 1)
    faults.expect(below == rank * (rank + 1) / 2, "the sum of lower ranks is \(below)")
    let (most, least) = (try ranks.max(Double(rank) - 0.5), try ranks.min(Int32(-rank)))
    faults.expect(most == Double(size) - 1.5, "the largest number is \(most)")
    faults.expect(least == Int32(1 - size), "the smallest number is \(least)")
    let sum = try ranks.sum(Float(rank))
    faults.expect(sum == Float(size * (size - 1) / 2), "the sum of the ranks is \(sum)")
    let names = try ranks.gather("rank \(rank) α")
    faults.expect(names == (0..<size).map { "rank \($0) α" }, "texts arrive as \(names)")
    let word = try ranks.broadcast(rank == size - 1 ? "ω" : "", from: size - 1)
    faults.expect(word == "ω", "a text arrives as \(word)")
  }
}
