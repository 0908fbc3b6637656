import Basics
import Datasets
import Files
import Foundation
import FuzzTargets
import LinearAlgebra
import MPI
import Models
import Networks
import TestSupport
import Testing

/// One bit of a whole file is another: it is refused, or what is read is the same. 500 bits of each file.
@Suite(.serialized) struct DamageTests {
  private static let flips = 500

  /// Damages a file bit by bit. Collective.
  ///
  /// - Parameter read: what a file holds, in a form that can be compared.
  private func expectNoOtherResult<Result: Equatable>(
    _ name: String, _ whole: [UInt8], in scratch: Scratch, over ranks: borrowing Communicator,
    _ read: (String, borrowing Communicator) throws -> Result
  ) throws {
    let sound = try read(scratch.write(name, whole, over: ranks), ranks)
    var random = SeededGenerator(seed: 11)
    var refused = 0
    for _ in 0..<Self.flips {
      var bytes = whole
      let bit = Int.random(in: 0..<8 * bytes.count, using: &random)
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let path = try scratch.write(name, bytes, over: ranks)
      do {
        let damaged = try read(path, ranks)
        #expect(damaged == sound, "bit \(bit % 8) of byte \(bit / 8) of \(name) makes another result")
      } catch let failure as Failure {
        refused += 1
        #expect(
          failure.isShared && failure.status == .badData && failure.message.contains(path),
          "bit \(bit % 8) of byte \(bit / 8): \(failure.status): \(failure.message)")
      }
    }
    // A few bits decide nothing: the time in a gzip file's header, for one.
    #expect(refused >= Self.flips * 9 / 10, "\(name): only \(refused) of \(Self.flips) are refused")
  }

  @Test func gzipped() throws {
    let file = FuzzInput.corpus.deletingLastPathComponent().appending(path: "samples.csv.gz")
    let whole = [UInt8](try Data(contentsOf: file))
    try TestWorld.with { ranks in
      let scratch = try Scratch(over: ranks)
      try expectNoOtherResult("samples.csv.gz", whole, in: scratch, over: ranks) { path, ranks in
        let dataset = try readDataset(Source(path), task: .classification, over: ranks)
        return Array(dataset.features.elements).map { "\($0)" } + ["\(dataset.labels)"] + dataset.featureNames
      }
      try scratch.remove(over: ranks)
    }
  }

  @Test func converted() throws {
    let text = (0..<3_000).map { "\($0 % 3),\($0 * 7919 % 1_009),\(Float($0) / 7),\($0 % 5)\n" }.joined()
    try TestWorld.with { ranks in
      let scratch = try Scratch(over: ranks)
      let dataset = try readDataset(
        Source(scratch.write("a.csv", Array(text.utf8), over: ranks)), task: .classification, over: ranks)
      try writeHDF5(dataset, to: PendingFile(scratch.path("a.h5")), over: ranks)
      try ranks.barrier()
      let whole = try bytes(of: scratch.path("a.h5"))
      try ranks.barrier()
      try expectNoOtherResult("a.h5", whole, in: scratch, over: ranks) { path, ranks in
        let dataset = try readDataset(Source(path), task: .classification, over: ranks)
        return Array(dataset.features.elements).map { "\($0)" } + ["\(dataset.labels)"] + dataset.featureNames
      }
      try scratch.remove(over: ranks)
    }
  }

  @Test func models() throws {
    var random = SeededGenerator(seed: 12)
    let network = Network(widths: [4, 6, 3], activation: .relu, loss: .softmax, bias: true)
    let W = Layers(1..<network.L + 1) { l in
      Matrix(rows: network.widths[l], columns: network.widths[l - 1] + 1) { _, _ in Float(random.normal()) }
    }
    let model = Model(
      network: network, W: W, standardization: Standardization(mean: [1, 2, 3, 4], scale: [1, 2, 3, 4]),
      meaning: .classes(["a", "b", "ü"]), featureNames: ["p", "q", "r", "s"],
      provenance: Model.Provenance(configurationSHA256: "", seed: 1, method: "taylor", iteration: 1))
    try TestWorld.with { ranks in
      let scratch = try Scratch(over: ranks)
      try model.write(to: scratch.path("model.h5"), over: ranks)
      try ranks.barrier()
      let whole = try bytes(of: scratch.path("model.h5"))
      try ranks.barrier()
      try expectNoOtherResult("model.h5", whole, in: scratch, over: ranks) { path, ranks in
        let model = try Model(reading: path, over: ranks)
        return ["\(model.network)", model.weightsSHA256, "\(String(describing: model.standardization))"]
          + ["\(model.meaning)", "\(model.featureNames)", "\(model.provenance)"]
      }
      try scratch.remove(over: ranks)
    }
  }
}
