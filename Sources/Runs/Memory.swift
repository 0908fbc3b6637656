import Configuration
import Networks

extension TrainingData {
  /// The bytes that this rank's arrays take in training. Local.
  func predictedBytes(_ configuration: Configuration, _ network: Network) -> Int {
    MemoryLayout<Float>.size * (network.widths[0] + 1) * ownSamples
      + configuration.stateBytes(network, samples: samples.count)
  }
}

extension Configuration {
  /// The bytes that training takes on a rank with so many samples, beside the data: those of the method and of the
  /// baselines, one at a time, that take the most.
  func stateBytes(_ network: Network, samples: Int) -> Int {
    let names = [training.method] + baselines.methods.filter { $0 != BaselinesSection.randomFeatures }
    return names.reduce(0) {
      max(
        $0,
        methods[named: $1].stateBytes(network, samples: samples, threads: training.threadsPerRank))
    }
  }
}
