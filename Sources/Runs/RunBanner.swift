import Basics
import Configuration
import Networks
import Optimizers
import Reports

/// What the console says before a run trains.
func banner(
  _ launch: Launch, _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData,
  _ memory: Spread, _ directory: RunDirectory
) -> Banner {
  let own = configuration.method.rows(network) + configuration.rowsOfDefaults(network)
  return Banner(
    launch, data: data.rows(configuration) + own, widths: network.widths,
    traits: [network.activation.rawValue, network.loss.rawValue, network.bias ? "bias" : "no bias"],
    parameters: network.parameterCount,
    method: configuration.methodLine,
    memory: memory, directory: directory.path)
}

extension Configuration {
  /// What of the method and the network nobody has chosen, and why it is so: a row of the banner, if anything.
  func rowsOfDefaults(_ network: Network) -> [(name: String, text: String)] {
    var chosen: [String] = []
    func add(_ key: String, _ text: String) { if !named.contains(key) { chosen.append(text) } }
    add(
      "training.method",
      training.method == AcceleratedSettings.name
        ? "method \(training.method)" : "method \(training.method), for its section")
    let outputs = network.widths[network.L]
    let task = data.task == .regression ? "a regression" : outputs > 2 ? "\(outputs) classes" : "two classes"
    if self.network.loss == nil { chosen.append("loss \(network.loss) for \(task)") }
    add("network.hidden", "hidden layers of \(self.network.hidden.map(String.init).joined(separator: ", "))")
    add("training.iterations", counted(training.iterations, "iteration"))
    guard !chosen.isEmpty else { return [] }
    return [("default", chosen.joined(separator: "; ") + " (docs/configuration.md#defaults)")]
  }

  /// The method that trains, and which kind of it: "taylor, preset robust".
  package var methodSummary: String { "\(training.method), \(method.summary)" }

  /// The same with how long and by which seed.
  var methodLine: String {
    "\(methodSummary), \(counted(training.iterations, "iteration")), seed \(training.seed)"
  }
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
