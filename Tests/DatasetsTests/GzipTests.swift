import Basics
import Datasets
import Foundation
import LinearAlgebra
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct GzipTests {
  private let text = (0..<3000).map { (n: Int) -> String in "\(n % 3),\(n),\(Float(n) / 7)\n" }.joined()

  private func features(_ source: Source, over ranks: borrowing Communicator) throws -> [Float] {
    let dataset = try readDataset(source, task: .classification, over: ranks)
    return Array(dataset.features.elements)
  }

  @Test func members() throws {
    try TemporaryFiles.with { files, ranks in
      let plain = try features(Source(files.write("a.csv", text, over: ranks)), over: ranks)
      let bytes = Array(text.utf8)
      let whole = gzip(bytes)
      let (head, tail) = (gzip(Array(bytes[..<20_000])), gzip(Array(bytes[20_000...])))
      for (k, good) in [whole, head + tail, gzip("") + head + tail + gzip(""), whole + [0, 0, 0]].enumerated()
      {
        let path = try files.write("\(k).csv.gz", good, over: ranks)
        #expect(try features(Source(path), over: ranks) == plain)
      }
      for (k, rest) in [[7], Array("<html>".utf8), [0, 0, 9], [0x1F, 0x8C, 8, 0], Array(head[1...])]
        .enumerated()
      {
        let path = try files.write("bad\(k).csv.gz", whole + rest, over: ranks)
        let failure = try #require(throws: Failure.self) { _ = try features(Source(path), over: ranks) }
        #expect(failure.status == .badData && failure.isShared)
        #expect(failure.message.hasPrefix("\(path): its gzip data ends near byte "), "\(failure.message)")
        #expect(failure.message.contains("gzip -dc '\(path)' > NEW."))
      }
      let half = try files.write("half.csv.gz", whole + tail.dropLast(9), over: ranks)
      let failure = try #require(throws: Failure.self) { _ = try features(Source(half), over: ranks) }
      #expect(failure.message.contains("ends in the middle of the compressed stream"))
    }
  }

  /// One flipped bit in a compressed file never gives other samples.
  @Test func flippedBits() throws {
    var generator = SeededGenerator(seed: 5)
    let images: [UInt8] =
      [0, 0, 8, 3, 0, 0, 0, 200, 0, 0, 0, 3, 0, 0, 0, 4] + (0..<2400).map { UInt8($0 * 37 % 251) }
    let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 200] + (0..<200).map { UInt8($0 * $0 % 7) }
    try TemporaryFiles.with { files, ranks in
      _ = try files.write("t-labels-idx1-ubyte", labels, over: ranks)
      var isRefused = 0
      for (name, bytes) in [("t-images-idx3-ubyte.gz", images), ("t.csv.gz", Array(text.utf8.prefix(5000)))] {
        // Complete lines only.
        let bytes = name.hasSuffix("csv.gz") ? Array(bytes.prefix(1 + (bytes.lastIndex(of: 10) ?? 0))) : bytes
        for packed in [gzip(bytes), try deflated(bytes, in: files, over: ranks)] {
          let path = try files.write(name, packed, over: ranks)
          let right = try features(Source(path), over: ranks)
          for _ in 0..<250 {
            var damaged = packed
            let place = Int.random(in: 0..<packed.count, using: &generator)
            damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            let path = try files.write(name, damaged, over: ranks)
            do {
              let found = try features(Source(path), over: ranks)
              #expect(found == right)
            } catch let failure as Failure {
              #expect(failure.status == .badData && failure.isShared && failure.message.contains(path))
              isRefused += 1
            }
          }
        }
      }
      #expect(isRefused > 900)
    }
  }

  /// What gzip itself makes of some bytes. Collective.
  private func deflated(
    _ bytes: [UInt8], in files: TemporaryFiles, over ranks: borrowing Communicator
  ) throws -> [UInt8] {
    let path = try files.write("plain", bytes, over: ranks)
    if ranks.isRoot {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["gzip", "-kf", path]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    try ranks.barrier()
    let packed = try [UInt8](Data(contentsOf: URL(filePath: path + ".gz")))
    try ranks.barrier()
    return packed
  }
}
