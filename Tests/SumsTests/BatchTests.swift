import MPI
import Sums
import Testing

/// Which samples the steps on batches take.
@Suite struct BatchTests {
  private func chunks(_ batch: Batch, _ partition: Partition) -> [Int] {
    var chunks: [Int] = []
    batch.forEachChunk(of: partition) { chunks.append($0) }
    return chunks
  }

  /// All batches of the walk's next sweep.
  private func sweep(_ walk: inout BatchWalk) -> [Batch] {
    var batches: [Batch] = []
    walk.beginSweep()
    while let batch = walk.next() { batches.append(batch) }
    return batches
  }

  /// The batches of a pass are disjoint and cover all chunks, for any number of either; a batch has one chunk of a
  /// stratum; passes and seeds differ.
  @Test func theBatchesOfAPassCoverEveryChunkOnce() {
    for samples in [1, 30, 31, 64, 300, 1003] {
      let partition = Partition(samples: samples, ranks: 3, chunk: 4)
      let all = Array(0..<partition.chunks)
      for count in Set([1, 2, 3, 5, 8, 16, partition.chunks]).filter({ $0 <= partition.chunks }) {
        let passes = (0..<4).map { pass in
          (0..<count).map { chunks(Batch(count: count, index: $0, pass: pass, seed: 7), partition) }
        }
        for (pass, batches) in passes.enumerated() {
          #expect(batches.flatMap { $0 }.sorted() == all, "\(partition.chunks) chunks in \(count) batches")
          let areInOrder = batches.allSatisfy { $0 == $0.sorted() }
          #expect(areInOrder)
          let areSpread = count == 1 || batches.allSatisfy { Set($0.map { $0 / count }).count == $0.count }
          #expect(areSpread)
          let sizes = (0..<count).map {
            Batch(count: count, index: $0, pass: pass, seed: 7).samples(of: partition)
          }
          #expect(sizes.reduce(0, +) == samples)
          let areThose = zip(sizes, batches).allSatisfy { size, chunks in
            size == chunks.reduce(0) { $0 + min(4, samples - 4 * $1) }
          }
          #expect(areThose)
        }
        guard count > 2 && partition.chunks >= 4 * count else { continue }
        #expect(Set(passes).count == 4)
        let other = (0..<count).map { chunks(Batch(count: count, index: $0, pass: 0, seed: 8), partition) }
        #expect(other != passes[0])
      }
    }
  }

  /// Every chunk meets every other one of another stratum: rotations are independent.
  @Test func batchesMixChunks() {
    let partition = Partition(samples: 64, ranks: 1, chunk: 4)
    var partners = Set<Int>()
    for pass in 0..<60 {
      for index in 0..<4 {
        let own = chunks(Batch(count: 4, index: index, pass: pass, seed: 1), partition)
        if own.contains(0) { partners.formUnion(own) }
      }
    }
    #expect(partners.sorted() == [0] + (4..<16))
  }

  @Test func aBatchHasAtLeastTheSamplesAskedFor() {
    let partition = Partition(samples: 1000, ranks: 2, chunk: 8)
    #expect(Batch.count(ofAtLeast: 1, partition) == 125)
    #expect(Batch.count(ofAtLeast: 8, partition) == 125)
    #expect(Batch.count(ofAtLeast: 9, partition) == 62)
    #expect(Batch.count(ofAtLeast: 500, partition) == 1)
    #expect(Batch.count(ofAtLeast: 5000, partition) == 1)
    #expect(chunks(.whole, partition) == Array(0..<125))
    #expect(Batch.whole.samples(of: partition) == 1000)
  }

  /// Sweeps grow by 30 % until they are whole passes; batches follow one another from pass to pass, and a change of
  /// their number begins a pass.
  @Test func theWalkGoesOverAllSamples() {
    let partition = Partition(samples: 400, ranks: 2, chunk: 10)
    var walk = BatchWalk(partition, batches: 8, firstSweep: 100, seed: 3)
    var isWhole: [Bool] = []
    var batches: [[Batch]] = []
    for _ in 0..<8 {
      isWhole.append(walk.isWholePass)
      batches.append(sweep(&walk))
    }
    // 100, 130, 169, 219, 284, 369 and then 400 samples, in batches of 50.
    #expect(isWhole == [false, false, false, false, false, false, true, true])
    #expect(batches.map(\.count) == [2, 3, 4, 5, 6, 8, 8, 8])
    let inTurn = batches.flatMap { $0 }.enumerated().allSatisfy { k, batch in
      batch == Batch(count: 8, index: k % 8, pass: k / 8, seed: 3)
    }
    #expect(inTurn)
    walk.batches = 4
    #expect(sweep(&walk).map(\.index) == [0, 1, 2, 3])
    walk.batches = 1
    #expect(sweep(&walk).map(\.count) == [1])
  }
}
