import MPI
import Sums
import Testing

@Suite struct PartitionTests {
  private static let sampleCounts = [
    0, 1, 2, 3, 5, 63, 64, 65, 127, 128, 129, 1000, 4097, 131_071, 131_072, 11_000_000,
  ]

  @Test(arguments: sampleCounts, [1, 2, 3, 4, 7, 64, 1000])
  func everySampleHasOneOwner(samples: Int, ranks: Int) {
    for chunk in [nil, 1, 2, 5, 64, 2048] {
      let partition = Partition(samples: samples, ranks: ranks, chunk: chunk)
      var end = 0
      var chunkCounts: [Int] = []
      for rank in 0..<ranks {
        let range = partition.range(of: rank)
        #expect(range.lowerBound == end, "\(partition), rank \(rank): a gap or an overlap")
        #expect(
          range.lowerBound == samples || range.lowerBound % partition.chunk == 0,
          "\(partition), rank \(rank): a chunk straddles two ranks")
        chunkCounts.append((range.count + partition.chunk - 1) / partition.chunk)
        end = range.upperBound
      }
      #expect(end == samples)
      #expect(chunkCounts.reduce(0, +) == partition.chunks)
      #expect((chunkCounts.max() ?? 0) - (chunkCounts.min() ?? 0) <= 1, "\(partition): uneven \(chunkCounts)")
    }
  }

  @Test(arguments: [1, 2, 3, 7, 20], [1, 2, 5])
  func ownersOfAllSamples(ranks: Int, chunk: Int) {
    let partition = Partition(samples: 103, ranks: ranks, chunk: chunk)
    for index in 0..<103 {
      let owners = (0..<ranks).filter { partition.range(of: $0).contains(index) }
      #expect(owners.count == 1, "sample \(index) belongs to the ranks \(owners)")
    }
  }

  @Test func moreRanksThanSamples() {
    let partition = Partition(samples: 3, ranks: 7)
    let owned = (0..<7).map { partition.range(of: $0).count }
    #expect(owned.reduce(0, +) == 3)
    #expect(owned.allSatisfy { $0 <= 1 })
  }

  /// The chunks must not depend on the number of ranks: a chunk's partial sums have to come from the same calls.
  @Test(arguments: sampleCounts)
  func theDefaultChunkDependsOnTheSamplesAlone(samples: Int) {
    let chunk = Partition.defaultChunk(samples: samples)
    for ranks in [1, 2, 5, 100] {
      #expect(Partition(samples: samples, ranks: ranks).chunk == chunk)
    }
    #expect(
      chunk.nonzeroBitCount == 1 && (1...2048).contains(chunk), "\(chunk) is no power of two up to 2048")
    #expect(chunk == 1 || samples / chunk >= 64, "fewer than 64 chunks")
    #expect(chunk == 2048 || samples / (2 * chunk) < 64, "a larger chunk would do")
  }

  @Test func hugeCountsDoNotOverflow() {
    let samples = 1 << 50
    let partition = Partition(samples: samples, ranks: 1_000_003)
    #expect(partition.range(of: 0).lowerBound == 0)
    #expect(partition.range(of: 1_000_002).upperBound == samples)
    #expect(partition.range(of: 1_000_002).contains(samples - 1))
    #expect(partition.range(of: 500_001).lowerBound == partition.range(of: 500_000).upperBound)
  }
}
