import MPI
import Sums
import Testing

/// Which samples the steps on blocks take.
@Suite struct BlockTests {
  private func chunks(_ block: Block, _ partition: Partition) -> [Int] {
    var chunks: [Int] = []
    block.forEachChunk(of: partition) { chunks.append($0) }
    return chunks
  }

  /// The blocks of a pass are disjoint and cover all chunks, for any number of either; a block has one chunk of a stratum; passes and seeds
  /// differ.
  @Test func theBlocksOfAPassCoverEveryChunkOnce() {
    for samples in [1, 30, 31, 64, 300, 1003] {
      let partition = Partition(samples: samples, ranks: 3, chunk: 4)
      let all = Array(0..<partition.chunks)
      for count in Set([1, 2, 3, 5, 8, 16, partition.chunks]).filter({ $0 <= partition.chunks }) {
        let passes = (0..<4).map { pass in
          (0..<count).map { chunks(Block(count: count, index: $0, pass: pass, seed: 7), partition) }
        }
        for (pass, blocks) in passes.enumerated() {
          #expect(blocks.flatMap { $0 }.sorted() == all, "\(partition.chunks) chunks in \(count) blocks")
          let areInOrder = blocks.allSatisfy { $0 == $0.sorted() }
          #expect(areInOrder)
          let areSpread = count == 1 || blocks.allSatisfy { Set($0.map { $0 / count }).count == $0.count }
          #expect(areSpread)
          let sizes = (0..<count).map {
            Block(count: count, index: $0, pass: pass, seed: 7).samples(of: partition)
          }
          #expect(sizes.reduce(0, +) == samples)
          let areThose = zip(sizes, blocks).allSatisfy { size, chunks in
            size == chunks.reduce(0) { $0 + min(4, samples - 4 * $1) }
          }
          #expect(areThose)
        }
        guard count > 2 && partition.chunks >= 4 * count else { continue }
        #expect(Set(passes).count == 4)
        let other = (0..<count).map { chunks(Block(count: count, index: $0, pass: 0, seed: 8), partition) }
        #expect(other != passes[0])
      }
    }
  }

  /// Every chunk meets every other one of another stratum: rotations are independent.
  @Test func blocksMixChunks() {
    let partition = Partition(samples: 64, ranks: 1, chunk: 4)
    var partners = Set<Int>()
    for pass in 0..<60 {
      for index in 0..<4 {
        let own = chunks(Block(count: 4, index: index, pass: pass, seed: 1), partition)
        if own.contains(0) { partners.formUnion(own) }
      }
    }
    #expect(partners.sorted() == [0] + (4..<16))
  }

  @Test func aBlockHasAtLeastTheSamplesAskedFor() {
    let partition = Partition(samples: 1000, ranks: 2, chunk: 8)
    #expect(Block.count(ofAtLeast: 1, partition) == 125)
    #expect(Block.count(ofAtLeast: 8, partition) == 125)
    #expect(Block.count(ofAtLeast: 9, partition) == 62)
    #expect(Block.count(ofAtLeast: 500, partition) == 1)
    #expect(Block.count(ofAtLeast: 5000, partition) == 1)
    #expect(chunks(.whole, partition) == Array(0..<125))
    #expect(Block.whole.samples(of: partition) == 1000)
  }

  /// Sweeps grow by 30 % until they are whole passes; blocks follow one another from pass to pass, and a change of their number begins a pass.
  @Test func theWalkGoesOverAllSamples() {
    let partition = Partition(samples: 400, ranks: 2, chunk: 10)
    var walk = BlockWalk(partition, blocks: 8, firstSweep: 100, seed: 3)
    var isWhole: [Bool] = []
    var blocks: [[Block]] = []
    for _ in 0..<8 {
      isWhole.append(walk.isWholePass)
      blocks.append(walk.nextSweep())
    }
    // 100, 130, 169, 219, 284, 369 and then 400 samples, in blocks of 50.
    #expect(isWhole == [false, false, false, false, false, false, true, true])
    #expect(blocks.map(\.count) == [2, 3, 4, 5, 6, 8, 8, 8])
    let inTurn = blocks.flatMap { $0 }.enumerated().allSatisfy { k, block in
      block == Block(count: 8, index: k % 8, pass: k / 8, seed: 3)
    }
    #expect(inTurn)
    walk.blocks = 4
    #expect(walk.nextSweep().map(\.index) == [0, 1, 2, 3])
    walk.blocks = 1
    #expect(walk.nextSweep().map(\.count) == [1])
  }
}
