import Basics
import Files
import Foundation
import HDF5
import MPI
import TestSupport
import Testing

/// Files that all ranks write and seal: any byte that is not as it was written is found, and in time.
@Suite(.serialized) struct SealTests {
  /// Rows and their length: 400 KB in 7 blocks, whose bounds are those of no row.
  private static let N = 5_000
  private static let d = 20

  /// The block of rows that a rank of so many has; the last of several has none.
  private func rows(_ rank: Int, of ranks: Int) -> Range<Int> {
    let workers = max(ranks - 1, 1)
    return min(rank * Self.N / workers, Self.N)..<min((rank + 1) * Self.N / workers, Self.N)
  }

  private func value(_ i: Int) -> Float { Float(i * 7919 % 10_007) / 8 }

  /// Two arrays of rows, with small ones between and behind them.
  private func write(_ path: String, over ranks: borrowing Communicator) throws {
    let own = rows(ranks.rank, of: ranks.size)
    // Columns of d + 1 entries, the last of which does not belong to the array.
    let wide = own.flatMap { i in (0...Self.d).map { $0 < Self.d ? value(Self.d * i + $0) : -1 } }
    let codes = own.map { Int32($0) }
    try PendingFile(path).writeSealedHDF5(bytes: 4 * Self.N * (Self.d + 1), over: ranks) { outline in
      let x = try outline.reserve("x", of: Float.self, shape: [Self.N, Self.d])
      try outline.write(["a", "Grün"], to: "names")
      let codes = try outline.reserve("codes", of: Int32.self, shape: [Self.N])
      let nothing = try outline.reserve("nothing", of: Float.self, shape: [0, 3])
      try outline.setAttribute("title", "a checkpoint")
      return [codes, x, nothing]
    } fill: { reserved, file in
      try codes.withUnsafeBufferPointer { try reserved[0].write(own, from: $0, to: file) }
      try wide.withUnsafeBufferPointer { try reserved[1].write(own, from: $0, stride: Self.d + 1, to: file) }
    }
    try ranks.barrier()
  }

  /// What is in some rows of the file, and all else. Local.
  private func read(_ path: String, _ rows: Range<Int>) throws -> (x: [Float], codes: [Int], names: [String]) {
    let file = try HDF5File(reading: path)
    let result = try (
      file.array("x").values(rows) as [Float], file.array("codes").values(rows) as [Int],
      file.array("names").strings()
    )
    _ = try file.attribute("title")
    try file.close()
    return result
  }

  private func expectSound(_ path: String, _ rows: Range<Int>) throws {
    let found = try read(path, rows)
    #expect(found.x == rows.flatMap { i in (0..<Self.d).map { value(Self.d * i + $0) } })
    #expect(found.codes == Array(rows) && found.names == ["a", "Grün"])
  }

  @Test("What some ranks wrote any number of ranks can read, and the bytes do not tell how many wrote them")
  func bytesAreTheSame() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let (one, all) = (directory.appending(path: "one.h5").path, directory.appending(path: "all.h5").path)
        try write(all, over: ranks)
        for readers in [1, 2, 3, 5, 8] {
          for reader in 0..<readers { try expectSound(all, rows(reader, of: readers)) }
        }
        // HDF5 would write down the time, in seconds.
        usleep(1_100_000)
        try write(one, over: ranks)
        #expect(try Data(contentsOf: URL(filePath: one)) == Data(contentsOf: URL(filePath: all)))
      }
    }
  }

  /// The seal as zlib and hashlib see it.
  private struct Sums: Codable, Equatable {
    let sums: [Int]
    let stored: [Int]
    let digest: String
    let rows: [Int]
    let x: Int
    let codes: Int
  }

  @Test(
    "The checksums are those of Python's zlib and hashlib, and h5py reads the arrays",
    .enabled(if: Python.isAvailable, "\(Python.howToInstall)"))
  func checksums() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let path = directory.appending(path: "all.h5").path
        try write(path, over: ranks)
        guard ranks.isRoot else { return }
        let found: Sums = try Python.run(
          program: """
            import h5py, hashlib, json, re, struct, sys, zlib
            path = json.load(open(sys.argv[1]))[0]
            data = open(path, "rb").read()
            end, block, rows = (int(n) for n in re.findall(rb" (\\d+)\\n", data[:512])[:3])
            words = struct.unpack(f"<{(len(data) - end) // 8}Q", data[end:])
            assert len(data) % 8 == end % 8
            sums = [zlib.crc32(data[max(start, 512):min(start + block, end)]) for start in range(0, end, block)]
            digest = hashlib.sha256(data[end:]).hexdigest()
            with h5py.File(path) as f:
              x, codes = f["x"], f["codes"]
              assert (codes[:] == range(5000)).all() and x[4999, 19] == 99999 * 7919 % 10007 / 8
              json.dump({"sums": sums, "stored": words[2 * rows:], "rows": words[:2 * rows],
                "digest": digest if digest.encode() in data[:512] else "another", "x": x.id.get_offset(),
                "codes": codes.id.get_offset()}, open(sys.argv[2], "w"))
            """, input: [path])
        #expect(found.sums == found.stored && found.sums.count == 7 && found.digest.count == 64)
        #expect(
          found.rows == [found.x, found.x + 4 * Self.N * Self.d, found.codes, found.codes + 4 * Self.N])
      }
    }
  }

  @Test("Any flipped bit is found: at once where HDF5 finds its way by it, else by who reads the rows")
  func flips() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let whole = directory.appending(path: "whole.h5").path
        try write(whole, over: ranks)
        let bytes = try Data(contentsOf: URL(filePath: whole))
        let own = directory.appending(path: "own-\(ranks.rank).h5").path
        var random = SeededGenerator(seed: 5 + UInt64(ranks.rank))
        var byRows = 0
        for i in 0..<300 {
          // The head, what HDF5 keeps before the first rows, the checksums, and anything.
          let place =
            switch i % 4 {
            case 0: Int.random(in: 0..<512, using: &random)
            case 1: Int.random(in: 512..<3_000, using: &random)
            case 2: Int.random(in: bytes.count - 100..<bytes.count, using: &random)
            default: Int.random(in: 0..<bytes.count, using: &random)
            }
          var damaged = bytes
          damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          try damaged.write(to: URL(filePath: own))
          let failure = #expect(throws: Failure.self, "byte \(place)") { _ = try read(own, 0..<Self.N) }
          #expect(
            failure?.status == .badData && failure?.message.hasPrefix("\(own) is damaged: ") == true,
            "byte \(place): \(failure?.message ?? "nothing")")
          // Only the rows near by are lost.
          if (100_000..<360_000).contains(place) {
            byRows += 1
            try expectSound(own, place < 200_000 ? Self.N - 100..<Self.N : 0..<100)
          }
        }
        #expect(byRows > 20)
        for (length, words) in [(bytes.count - 1, "truncated"), (3_000, "truncated"), (bytes.count + 1, "damaged")]
        {
          try (bytes + [0]).prefix(length).write(to: URL(filePath: own))
          let failure = #expect(throws: Failure.self) { _ = try read(own, 0..<Self.N) }
          #expect(failure?.status == .badData && failure?.message.hasPrefix("\(own) is \(words)") == true)
        }
      }
    }
  }

  @Test("A small file of one rank is verified as a whole, before it is sent to all")
  func small() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let path = directory.appending(path: "small.h5").path
        if ranks.isRoot {
          let file = try HDF5File(creating: path)
          try file.write((0..<100).map { Float($0) }, to: "x")
          try file.close()
        }
        try ranks.barrier()
        let whole = try HDF5File(broadcasting: path, over: ranks)
        let isSealed = whole.isSealed
        #expect(isSealed)
        #expect(try whole.array("x").values(as: Float.self).count == 100)
        try whole.close()
        let bytes = try Data(contentsOf: URL(filePath: path))
        for place in stride(from: 0, to: bytes.count, by: 37) {
          try ranks.barrier()
          var damaged = bytes
          damaged[place] ^= 4
          if ranks.isRoot { try damaged.write(to: URL(filePath: path)) }
          try ranks.barrier()
          let failure = #expect(throws: Failure.self) { try HDF5File(broadcasting: path, over: ranks).close() }
          #expect(failure?.status == .badData && failure?.isShared == true)
        }
      }
    }
  }
}
