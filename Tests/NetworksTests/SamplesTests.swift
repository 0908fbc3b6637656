import LinearAlgebra
import Networks
import Sums
import TestSupport
import Testing

/// A rank's part of a training set, for every rank of a job of any size: no MPI is needed.
@Suite struct SamplesTests {
  /// Feature 0 is the sample's global number, the target its negative.
  private func samples(_ partition: Partition, rank: Int) -> Samples {
    let range = partition.range(of: rank)
    return Samples(
      features: Matrix(rows: 3, columns: range.count) { i, j in i == 2 ? 1 : Float(range.lowerBound + j) },
      targets: Matrix(rows: 1, columns: range.count) { _, j in -Float(range.lowerBound + j) },
      partition: partition, rank: rank)
  }

  /// Each chunk belongs to one rank, whose columns of it are the samples with the chunk's numbers.
  @Test(arguments: [0, 1, 5, 64, 203], [1, 2, 3, 7])
  func theChunksOfAllRanksAreTheWhole(count: Int, ranks: Int) {
    for chunk in [1, 4, 10, 300] {
      let partition = Partition(samples: count, ranks: ranks, chunk: chunk)
      var (next, seen) = (0, 0)
      for rank in 0..<ranks {
        let samples = samples(partition, rank: rank)
        let (range, chunks, own) = (samples.range, samples.chunks, samples.count)
        #expect(range == partition.range(of: rank) && own == range.count)
        #expect(chunks.isEmpty == range.isEmpty)
        guard !chunks.isEmpty else { continue }
        #expect(chunks.lowerBound == next, "rank \(rank) of \(ranks), chunks of \(chunk)")
        next = chunks.upperBound
        var end = 0
        for k in chunks {
          let columns = samples.columns(ofChunk: k)
          #expect(columns.lowerBound == end && columns.count == min(chunk, count - k * chunk))
          end = columns.upperBound
          for (j, column) in columns.enumerated() {
            let (x, y) = (samples.a0.column(column), samples.y.column(column))
            #expect(x[0] == Float(k * chunk + j) && x[2] == 1 && y[0] == -x[0])
          }
        }
        #expect(end == own)
        seen += own
      }
      #expect(next == partition.chunks && seen == count)
    }
  }

  /// Every sample of the chunks that are asked for is in one tile; a tile lies in one chunk, and a chunk is ended by
  /// the thread that has visited it, after its last tile.
  @Test(arguments: [1, 2, 3], [1, 7, 10, 100])
  func tilesCoverTheChunksThatAreAskedFor(threads: Int, length: Int) throws {
    enum Event: Equatable { case tile(Range<Int>), end }
    let partition = Partition(samples: 203, ranks: 2, chunk: 10)
    let team = try ThreadTeam(count: threads)
    for rank in 0..<2 {
      let samples = samples(partition, rank: rank)
      let own = samples.chunks
      for chunks in [Array(own), own.filter { $0 % 3 == 0 }, [], [own.upperBound - 1]] {
        // A thread writes its own list only.
        let seen = UnsafeMutablePointer<[Event]>.allocate(capacity: threads)
        seen.initialize(repeating: [], count: threads)
        defer {
          seen.deinitialize(count: threads)
          seen.deallocate()
        }
        samples.forEachTile(of: chunks, length: length, on: team) { tile, thread in
          seen[thread].append(.tile(tile.columns))
        } endOfChunk: { thread in
          seen[thread].append(.end)
        }
        let expected = chunks.flatMap { k in
          Cuts(samples.columns(ofChunk: k), length: length).map { Event.tile($0) } + [.end]
        }
        let all = (0..<threads).flatMap { seen[$0] }
        #expect(all == expected, "chunks \(chunks), tiles of \(length)")
        let counts = (0..<threads).map { seen[$0].count { $0 == .end } }
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "chunks a thread: \(counts)")
      }
    }
  }

  @Test func theTargetsMayChange() {
    var samples = samples(Partition(samples: 9, ranks: 2, chunk: 2), rank: 1)
    #expect(samples.featureCount == 2 && samples.outputs == 1 && samples.count == 5)
    samples.setTargets(Matrix(rows: 3, columns: 5) { i, j in Float(10 * i + j) })
    #expect(samples.outputs == 3 && samples.y.column(4)[2] == 24)
    #expect(samples.a0.column(0)[0] == 4, "the features are as they were")
  }
}
