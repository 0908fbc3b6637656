import Basics
import Configuration
import MPI
import Networks
import Reports
import Sums

extension TrainingData {
  /// The bytes that this rank's arrays take in training. Local.
  func predictedBytes(_ configuration: Configuration, _ network: Network) -> Double {
    configuration.predictedBytes(network, training: samples.count, all: ownSamples)
  }

  /// The bytes of this rank's samples. Local.
  package var heldBytes: Double {
    Double(MemoryLayout<Float>.size * (samples.featureCount + 1)) * Double(ownSamples)
  }
}

extension Configuration {
  /// The bytes that a rank's arrays take in training. They may be more than any machine has.
  ///
  /// - Parameters:
  ///   - training: how many samples a rank trains on.
  ///   - all: how many it holds, those of validation and test sets included.
  func predictedBytes(_ network: Network, training: Int, all: Int) -> Double {
    Double(MemoryLayout<Float>.size * (network.widths[0] + 1)) * Double(all)
      + stateBytes(network, samples: training)
  }

  /// The bytes that training takes on a rank with so many samples, beside the data: those of the method and of the
  /// baselines, one at a time, that take the most.
  package func stateBytes(_ network: Network, samples: Int) -> Double {
    let names = [training.method] + baselines.methods.filter { $0 != BaselinesSection.randomFeatures }
    return names.reduce(0) {
      max(
        $0,
        methods[named: $1].stateBytes(network, samples: samples, threads: training.threadsPerRank))
    }
  }

  /// Refuses samples to be generated that don't fit the memory, before there are any. Collective.
  ///
  /// - Throws: a shared `Failure` of status `noMemory`.
  func checkSyntheticMemory(over ranks: borrowing Communicator) throws {
    guard let generator = data.generator, let samples = data.synthetic, let outputs else { return }
    func own(_ samples: Int) -> Int {
      Partition(samples: samples, ranks: ranks.size, chunk: self.training.chunk).range(of: ranks.rank).count
    }
    let training = own(samples)
    try checkMemory(
      predictedBytes(
        network(features: generator.features, outputs: outputs), training: training,
        all: training + own(data.syntheticTest)), over: ranks)
  }
}

/// Refuses what the ranks of a host need more of than the host, or the limits on its processes, give. Collective.
///
/// - Parameters:
///   - need: the bytes that this rank is going to need.
///   - held: those that it needs beside them, and has.
/// - Throws: a shared `Failure` of status `noMemory`.
package func checkMemory(
  _ need: Double, beside held: Double = 0, over ranks: borrowing Communicator
) throws {
  let limits = MemoryLimits.current()
  let names = try ranks.gather(ranks.hostName())
  let numbers = try ranks.gather([need + held, limits.host, need, limits.process])
  for (rank, own) in numbers.enumerated() where own[2] > own[3] {
    throw tooLarge(
      "rank \(rank) needs \(amount(own[2])) to train, and ulimit -v leaves it \(amount(own[3])). Raise the limit, "
        + "or take")
  }
  var needs: [String: (bytes: Double, ranks: Int)] = [:]
  for (name, own) in zip(names, numbers) {
    let sum = needs[name] ?? (0, 0)
    needs[name] = (sum.bytes + own[0], sum.ranks + 1)
  }
  for (name, own) in zip(names, numbers) {
    guard let sum = needs[name], sum.bytes > own[1] else { continue }
    throw tooLarge(
      "\(counted(sum.ranks, "rank")) on \(name) need\(sum.ranks == 1 ? "s" : "") \(amount(sum.bytes)) to train, and "
        + "it has \(amount(own[1])). Use more hosts, or take")
  }
}

private func tooLarge(_ message: String) -> Failure {
  Failure(
    .noMemory, message + " fewer samples or a smaller network (hidden in [network]).", isShared: true)
}

/// A number of bytes, however many.
func amount(_ count: Double) -> String {
  count < 1e18 ? bytes(Int(count)) : "\(scientific(count, 1)) bytes"
}
