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
          #expect(again.provenance == model.provenance)
          #expect(again.weightsSHA256 == model.weightsSHA256)
          for l in 1...model.network.L { #expect(again.W[l].all.nested == model.W[l].all.nested) }
          #expect(try ranks.gather(again.weightsSHA256).allSatisfy { $0 == model.weightsSHA256 })
        }
        #expect(!FileManager.default.fileExists(atPath: path + ".part"))
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
        // A directory stands where the temporary file should go.
        if ranks.isRoot {
          try FileManager.default.createDirectory(atPath: path + ".part", withIntermediateDirectories: false)
        }
        try ranks.barrier()
        let other = classifier()
        #expect(throws: Failure.self) { try other.write(to: path, over: ranks) }
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
      let file = try HDF5File(creating: path)
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
      ({ $0.version = 7 }, "has format version 7, written by admm-mpi 9.9; this program reads version 1."),
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
        #expect(try Model(reading: path, over: ranks).classNames == ["a", "b"])
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
