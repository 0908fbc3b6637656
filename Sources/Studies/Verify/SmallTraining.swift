import Basics
import Configuration
import Datasets
import Files
import LinearAlgebra
import MPI
import Models
import Networks
import Runs
import Sums

/// A small problem that every method can train on: made-up samples of three classes, a network of two hidden layers.
struct SmallTraining {
  let network = Network(widths: [12, 20, 9, 3], activation: .relu, loss: .softmax, bias: true)
  let count: Int
  /// How many sweeps.
  let sweeps: Int

  init(isQuick: Bool) { (count, sweeps) = isQuick ? (600, 4) : (6_000, 10) }

  /// This rank's samples. Local.
  func samples(of ranks: borrowing Communicator) -> Samples {
    let partition = Partition(samples: count, ranks: ranks.size)
    let made = Synthetic(features: 12, classes: 3, noise: 0.3, seed: 5).samples(
      .training, task: .classification, partition: partition, rank: ranks.rank)
    let targets = Scoring.targets(made.labels, loss: network.loss)
    return Samples(features: made.features, targets: targets, partition: partition, rank: ranks.rank)
  }

  /// Trains by a method. Collective.
  ///
  /// - Parameters:
  ///   - file: where the state after half of the sweeps is read from; it takes the place of those.
  ///   - save: is given that state.
  /// - Returns: the SHA-256 of the weights.
  /// - Throws: a shared `Failure` where the numbers leave the finite ones.
  func weights(
    _ settings: any MethodSettings, threads: Int = 1, from file: CheckpointFile? = nil,
    over ranks: borrowing Communicator, save: (CheckpointWriter) throws -> Void = { _ in }
  ) throws -> String {
    let samples = samples(of: ranks)
    return try advising("These samples are harmless: the arithmetic of a host is wrong.") {
      var method = try settings.start(
        network, samples, StartOptions(seed: 3, sweeps: sweeps, threads: threads), over: ranks)
      return try Self.train(&method, samples, sweeps / 2, from: file, over: ranks, save: save)
    }
  }

  private static func train<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, _ samples: borrowing Samples, _ half: Int, from file: CheckpointFile?,
    over ranks: borrowing Communicator, save: (CheckpointWriter) throws -> Void
  ) throws -> String {
    if let file {
      try ranks.agree { try method.archive(file, samples) }
    } else {
      for _ in 0..<half { try method.sweep(samples, over: ranks, isMeasured: true) }
    }
    let writer = CheckpointWriter()
    try method.archive(writer, samples)
    try save(writer)
    for _ in 0..<half { try method.sweep(samples, over: ranks, isMeasured: true) }
    var W = method.network.zeroWeights()
    method.copyWeights(to: &W)
    let flat = method.network.flat(W)
    let digest = sha256Hex(UnsafeRawBufferPointer(flat.elements))
    // What `elements` shows lives as long.
    withExtendedLifetime(flat) {}
    return digest
  }
}

/// A digest as messages show it.
func brief(_ digest: String) -> String { digest.prefix(8) + "…" }
