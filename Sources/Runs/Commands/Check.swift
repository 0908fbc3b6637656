import ADMM
import Datasets
import MPI

/// Looks at a configuration's data files without reading their samples, and prints what a run would need. Collective.
///
/// - Throws: a shared `Failure` where a file is missing, its head is damaged, or the files don't fit each other.
public func check(_ configuration: Configuration, over ranks: borrowing Communicator) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  guard let source = configuration.data.trainSource else {
    throw Failure(.badConfiguration, "no training set. Set train in [data] to a file's path.", isShared: true)
  }
  let train = try preview(source, over: ranks)
  guard train.hasLabels else {
    throw Failure(
      .badData, "\(source.path) has no labels to learn from. Set label_column in [data].", isShared: true)
  }
  var table = TextTable(["train", "\(source.path), \(train.summary)"], [.left, .left])
  if let source = configuration.data.testSource {
    let test = try preview(source, over: ranks)
    table.add(["test", "\(source.path), \(test.summary)"])
    guard test.features == train.features else {
      throw Failure(
        .badData,
        "\(source.path) has \(test.features) features, the training set has \(train.features). Check the files and label_column.",
        isShared: true)
    }
  }
  let widths = [train.features] + configuration.network.hidden
  table.add([
    "network",
    (widths.map(String.init) + [configuration.outputs.map(String.init) ?? "classes"]).joined(separator: "-")
      + ", \(configuration.network.activation), \(configuration.network.loss)"
      + (configuration.network.bias ? ", bias" : ""),
  ])
  let network = configuration.network(features: train.features, outputs: configuration.outputs ?? 1)
  let bytesPerSample =
    MemoryLayout<Float>.size * (train.features + 1) + network.stateBytes(samples: 1, storage: .automatic)
  let own = train.samples.map { ($0 + ranks.size - 1) / ranks.size }
  table.add([
    "memory",
    own.map {
      "about \(bytes($0 * bytesPerSample + network.systemBytes(threads: 1))) a rank for training on \(counted(ranks.size, "rank"))"
    }
      ?? "about \(bytes(bytesPerSample)) a sample; only a full read tells how many there are",
  ])
  table.add(["results", configuration.output.directory])
  console.print(table.lines)
  console.print("The configuration is in order.")
  return .done
}

extension Preview {
  /// What the file holds, as far as its head tells.
  fileprivate var summary: String {
    let samples =
      samples.map { (isEstimate ? "about " : "") + counted($0, "sample") } ?? "unknown number of samples"
    return "\(format.rawValue), \(bytes(fileSize)), \(samples), \(counted(features, "feature"))"
  }
}

extension Configuration {
  /// d_L where the configuration tells it.
  fileprivate var outputs: Int? {
    if data.task == .regression { return 1 }
    let classes = data.positiveClass == nil ? data.classes?.count : 2
    return classes.map { $0 == 2 && !network.loss.isJoint ? 1 : $0 }
  }
}
