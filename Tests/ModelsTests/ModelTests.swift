import Basics
import Datasets
import Foundation
import HDF5
import LinearAlgebra
import MPI
import Models
import Networks
import TestSupport
import Testing

/// Seeded weights for a network.
private func weights(_ network: Network, seed: UInt64) -> Layers<Matrix<Float>> {
  var random = SeededGenerator(seed: seed)
  return Layers(1..<network.L + 1) { l in
    Matrix(rows: network.widths[l], columns: network.widths[l - 1] + 1) { _, _ in Float(random.normal()) }
  }
}

private func classifier(classes: [String] = ["no", "yes, ü"]) -> Model {
  let network = Network(
    widths: [3, 4, 2, classes.count == 2 ? 1 : classes.count], activation: .relu, loss: .hinge, bias: true)
  return Model(
    network: network, W: weights(network, seed: 7),
    standardization: Standardization(mean: [0.1, -2, 3e5], scale: [1, 0.25, 7]), meaning: .classes(classes),
    featureNames: ["x", "ÿ", "a long name"],
    columns: ColumnNames(
      features: ["x", "ÿ", "a long name"], label: LabelPlace(name: "läbel", number: 4)),
    provenance: Model.Provenance(
      program: "0.1.0", configurationSHA256: "ab12", seed: .max, method: "taylor", iteration: 20))
}

private func regressor() -> Model {
  let network = Network(widths: [2, 1], activation: .identity, loss: .huber, bias: false)
  return Model(
    network: network, W: weights(network, seed: 8), standardization: nil,
    meaning: .target(mean: 0.1, scale: 2.5), featureNames: ["x1", "x2"],
    provenance: Model.Provenance(configurationSHA256: "", seed: 1, method: "taylor", iteration: 1))
}

/// Calls `body` with the path of a model file in a fresh directory that all ranks see. Collective.
private func withModelPath(
  _ ranks: borrowing Communicator, _ body: (borrowing Communicator, String) throws -> Void
) throws {
  let directory = try TemporaryDirectory()
  try body(ranks, try ranks.broadcast(directory.path("model.h5")))
  // The directory goes with this scope, rank 0's with the file in it.
  try ranks.barrier()
}

@Suite(.serialized) struct ModelTests {
  @Test("A model comes back on all ranks as rank 0 wrote it, bit for bit")
  func roundTrip() throws {
    try TestWorld.with { ranks in
      try withModelPath(ranks) { ranks, path in
        for isRegression in [false, true] {
          let model = isRegression ? regressor() : classifier()
          try model.write(to: path, over: ranks)
          let again = try Model(reading: path, over: ranks)
          #expect(again.network == model.network)
          #expect(again.standardization == model.standardization)
          #expect(again.meaning == model.meaning && again.featureNames == model.featureNames)
          #expect(again.columns == model.columns && again.isSealed)
          #expect(again.provenance == model.provenance)
          #expect(again.weightsSHA256 == model.weightsSHA256)
          for l in 1...model.network.L { #expect(again.W[l].all.nested == model.W[l].all.nested) }
          #expect(try ranks.gather(again.weightsSHA256).allSatisfy { $0 == model.weightsSHA256 })
        }
        let directory = URL(filePath: path).deletingLastPathComponent().path
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["model.h5"])
      }
    }
  }

  @Test(
    "The digest of the weights is that of h5py and hashlib",
    .enabled(if: Python.isAvailable, "\(Python.howToInstall)"))
  func digest() throws {
    try TestWorld.with { ranks in
      try withModelPath(ranks) { ranks, path in
        let model = classifier(classes: ["a", "b", "c"])
        try model.write(to: path, over: ranks)
        guard ranks.isRoot else { return }
        let digest: String = try Python.run(
          program: """
            import h5py, hashlib, json, sys
            with h5py.File(json.load(open(sys.argv[1]))[0]) as f:
              assert f["W1"].shape == (4, 4) and f["W3"].shape == (3, 3) and f["widths"][:].tolist() == [3, 4, 2, 3]
              assert f.attrs["loss"] == "hinge" and f["class_names"].asstr()[:].tolist() == ["a", "b", "c"]
              weights = b"".join(f[f"W{l}"][:].astype("<f4").tobytes() for l in (1, 2, 3))
            json.dump(hashlib.sha256(weights).hexdigest(), open(sys.argv[2], "w"))
            """, input: [path])
        #expect(digest == model.weightsSHA256)
      }
    }
  }

  @Test("A failed write leaves the model that was there")
  func failedWrite() throws {
    try TestWorld.with { ranks in
      let model = regressor()
      #expect(throws: Failure.self) { try model.write(to: "/no/such/directory/model.h5", over: ranks) }
      try withModelPath(ranks) { ranks, path in
        try model.write(to: path, over: ranks)
        let other = classifier()
        let failure = #expect(throws: Failure.self) {
          try withFullDisk(after: 1_000) { try other.write(to: path, over: ranks) }
        }
        #expect(failure?.message == "The model can't be written. \(path) can't be written: File too large.")
        #expect(try Model(reading: path, over: ranks).weightsSHA256 == model.weightsSHA256)
      }
    }
  }

  /// A model file whose parts are replaced one by one.
  private struct Parts {
    var format: String? = "admm-mpi model"
    var version = 1
    var widths = [2, 3, 1]
    var activation = "relu"
    var W2 = (values: [Float](repeating: 1, count: 4), shape: [1, 4])
    var scale: [Float] = [1, 1]
    var classes: [String]? = ["a", "b"]
    var features = ["x1", "x2"]

    func write(_ path: String) throws {
      let file = try HDF5File(creating: path, isSealed: false)
      if let format { try file.setAttribute("format", format) }
      try file.setAttribute("format_version", version)
      try file.setAttribute("program_version", "9.9")
      for name in ["config_sha256", "method"] { try file.setAttribute(name, "x") }
      try file.setAttribute("seed", 1)
      try file.setAttribute("iteration", 1)
      try file.setAttribute("activation", activation)
      try file.setAttribute("loss", "hinge")
      try file.setAttribute("bias", 1)
      try file.write(widths, to: "widths")
      try file.write([Float](repeating: 0.5, count: 9), to: "W1", shape: [3, 3])
      try file.write(W2.values, to: "W2", shape: W2.shape)
      try file.write([Float](repeating: 0, count: 2), to: "mean")
      try file.write(scale, to: "scale")
      try file.write(features, to: "feature_names")
      if let classes { try file.write(classes, to: "class_names") }
      try file.close()
    }
  }

  @Test("Files that are no model, or contradict themselves, are refused with the reason, on all ranks alike")
  func refused() throws {
    let cases: [(part: (inout Parts) -> Void, reason: String)] = [
      ({ $0.format = nil }, "is an HDF5 file, but not a model of this program."),
      ({ $0.format = "other" }, "is an HDF5 file, but not a model of this program."),
      (
        { $0.version = 7 },
        "has format version 7, written by admm-mpi 9.9; this program reads versions 1 to 2."
      ),
      ({ $0.version = 2 }, "has lost the checksum that it was written with."),
      ({ $0.widths = [2, .max, 1] }, "has the widths [2, 9223372036854775807, 1], more weights than its "),
      ({ $0.widths = [1, 1 << 28 + 1] }, "has the widths [1, 268435457], more weights than its "),
      ({ $0.widths = [Int](repeating: 1, count: 1_001) }, "has no list of whole numbers for its widths."),
      ({ $0.widths = [2] }, "has the widths [2]."),
      ({ $0.widths = [2, -3, 1] }, "has the widths [2, -3, 1]."),
      ({ $0.activation = "swish" }, "has the activation \"swish\""),
      ({ $0.widths = [2, 3, 3, 1] }, "has a W2 of 1 × 4; its widths need 3 × 4."),
      ({ $0.W2.shape = [4, 1] }, "has a W2 of 4 × 1; its widths need 1 × 4."),
      ({ $0.W2.values[2] = .nan }, "has the number nan in row 1, column 3 of W2."),
      ({ $0.W2.values[0] = .infinity }, "has the number inf in row 1, column 1 of W2."),
      (
        { $0.scale = [1, 0] },
        "has a mean and a scale that are not 2 finite numbers each, the scale positive."
      ),
      ({ $0.scale = [1] }, "has a mean and a scale that are not 2 finite numbers each, the scale positive."),
      ({ $0.classes = ["a", "b", "c"] }, "has 1 outputs for 3 classes."),
      ({ $0.classes = nil }, "has no attribute \"target_mean\"."),
      ({ $0.features = ["x1"] }, "has 1 feature_names for 2 features."),
    ]
    try TestWorld.with { ranks in
      try withModelPath(ranks) { ranks, path in
        if ranks.isRoot { try Parts().write(path) }
        try ranks.barrier()
        let old = try Model(reading: path, over: ranks)
        #expect(old.classNames == ["a", "b"] && !old.isSealed && old.columns == ColumnNames())
        for (part, reason) in cases {
          var parts = Parts()
          part(&parts)
          if ranks.isRoot { try parts.write(path) }
          try ranks.barrier()
          let failure = #expect(throws: Failure.self) { try Model(reading: path, over: ranks).weightsSHA256 }
          #expect(failure?.status == .badData && failure?.isShared == true)
          #expect(
            failure?.message.contains("The model \(path) \(reason)") == true, "\(failure?.message ?? "")")
          try ranks.barrier()
        }
      }
    }
  }

  /// Each of the bits of the seal, and many of what follows. Nothing is read by HDF5 before the seal is found to hold.
  @Test("A model with one bit flipped, cut or lengthened is refused", arguments: [1, 2, 3, 4, 5, 6, 7, 8])
  func damaged(seed: UInt64) throws {
    try TestWorld.with { ranks in
      try withModelPath(ranks) { ranks, path in
        try classifier().write(to: path, over: ranks)
        let whole = try Data(contentsOf: URL(filePath: path))
        let isRoot = ranks.isRoot
        var random = SeededGenerator(seed: seed)
        for i in 0..<120 {
          var bytes = whole
          switch i {
          case 0: bytes.removeLast(1 + Int(random.next() % 1_000))
          case 1: bytes.append(0)
          case 2: bytes.removeFirst(512)
          default:
            let bit = Int(random.next() % UInt64(8 * (i < 20 ? 512 : bytes.count)))
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
          }
          try ranks.barrier()
          if isRoot { try bytes.write(to: URL(filePath: path)) }
          try ranks.barrier()
          let failure = #expect(throws: Failure.self) { try Model(reading: path, over: ranks).weightsSHA256 }
          #expect(
            failure?.status == .badData && failure?.isShared == true
              && failure?.message.contains(path) == true)
        }
      }
    }
  }

  @Test("What is no model is called what it is")
  func strange() throws {
    try TestWorld.with { ranks in
      try withModelPath(ranks) { ranks, path in
        for (text, kind) in [
          ("{\"status\": 1}", "JSON text"), ("[data]\n", "a text, such as a configuration"),
          ("a,b\n1,2\n", "a text, such as a table or a configuration"), ("", "an empty file"),
          ("\0\u{1}", "something else"),
        ] {
          try ranks.barrier()
          if ranks.isRoot { try text.write(toFile: path, atomically: true, encoding: .utf8) }
          try ranks.barrier()
          let failure = #expect(throws: Failure.self) { try Model(reading: path, over: ranks).weightsSHA256 }
          #expect(failure?.status == .badData)
          #expect(
            failure?.message == "\(path) is not a model but \(kind). Name the model.h5 that a run leaves.")
        }
      }
    }
  }

  @Test("A data set with another number of features is refused by the names of both files")
  func features() throws {
    let model = classifier()
    try model.checkFeatures(3, of: "data.csv", modelPath: "model.h5")
    let failure = #expect(throws: Failure.self) {
      try model.checkFeatures(5, of: "data.csv", modelPath: "model.h5")
    }
    #expect(
      failure?.message.hasPrefix("model.h5 was trained on 3 features a sample, data.csv has 5.") == true)
  }
}
