import Foundation
import FuzzTargets
import MPI
import TestSupport
import Testing

/// An input that once did what no input may do.
struct FuzzInput: Sendable, CustomTestStringConvertible {
  let target: FuzzTarget
  let url: URL

  var testDescription: String { "\(target)/\(url.lastPathComponent)" }

  static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

  /// The corpus: a directory for each target, a file for each input, named for what it showed.
  static let all: [FuzzInput] = FuzzTarget.allCases.flatMap { target in
    let directory = corpus.appending(path: target.rawValue)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.sorted().map { FuzzInput(target: target, url: directory.appending(path: $0)) }
  }
}

/// What fuzzing has found stays mended.
@Suite(.serialized) struct ReplayTests {
  /// Bytes that reading an input of less than a megabyte may take.
  private static let memoryLimit = 500 << 20

  @Test(arguments: FuzzInput.all) func anInputIsReadOrRefused(input: FuzzInput) throws {
    let bytes = [UInt8](try Data(contentsOf: input.url))
    try TestWorld.with { ranks in
      let scratch = try Scratch(over: ranks)
      for variant in 0..<input.target.variants {
        let before = resetPeak()
        let outcome = try input.target.read(bytes, variant: variant, in: scratch, over: ranks)
        let outcomes = try ranks.gather("\(outcome)")
        #expect(outcomes.allSatisfy { $0 == outcomes[0] }, "variant \(variant): \(outcomes)")
        let grown = memory("VmHWM") - before
        #expect(bytes.count > 1 << 20 || grown < Self.memoryLimit, "variant \(variant) takes \(grown) bytes")
      }
      try scratch.remove(over: ranks)
    }
  }

  @Test(arguments: FuzzTarget.allCases) func everyTargetHasInputs(target: FuzzTarget) {
    #expect(FuzzInput.all.contains { $0.target == target })
  }

  /// Begins to watch the peak of this process's memory anew. Returns what it takes now.
  private func resetPeak() -> Int {
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    return memory("VmRSS")
  }

  /// A line of /proc/self/status, in bytes.
  private func memory(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
    return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
