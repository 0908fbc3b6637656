import Basics
import Configuration
import Networks
import Reports

/// What the console says before a run trains.
func banner(
  _ launch: Launch, _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData,
  _ memory: Spread, _ directory: RunDirectory
) -> Banner {
  let training = configuration.training
  return Banner(
    launch, data: data.rows(configuration) + configuration.method.rows(network), widths: network.widths,
    traits: [network.activation.rawValue, network.loss.rawValue, network.bias ? "bias" : "no bias"],
    parameters: network.parameterCount,
    method: "\(configuration.methodSummary), \(counted(training.iterations, "iteration")), "
      + "seed \(training.seed)",
    memory: memory, directory: directory.path)
}

extension Configuration {
  /// The method that trains, and which kind of it: "taylor, preset robust".
  package var methodSummary: String { "\(training.method), \(method.summary)" }
}

extension TrainingData {
  /// What the console says of the data before it trains: a row a set, the classes and the chunks.
  package func rows(_ configuration: Configuration) -> [(name: String, text: String)] {
    let counts = sampleCounts
    var rows = [
      (name: "train", text: "\(configuration.data.trainOrigin), \(counted(counts.train, "sample"))")
    ]
    if let count = counts.validation {
      rows.append(("validation", "\(counted(count, "sample")) of the training set"))
    }
    if let count = counts.test {
      rows.append(("test", "\(configuration.data.testOrigin), \(counted(count, "sample"))"))
    }
    if let names = classNames {
      let shown = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
      rows.append(("classes", "\(names.count): \(shown)"))
    }
    let chunks = samples.partition
    rows.append(("chunks", "\(grouped(chunks.chunks)) of \(counted(chunks.chunk, "sample"))"))
    return rows
  }
}
