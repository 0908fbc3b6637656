import Basics
import Configuration
import Datasets
import Files
import MPI
import Reports

/// Looks at a configuration's data files without reading their samples, and prints what a run would need.
/// Collective.
///
/// - Throws: a shared `Failure` where a file is missing, its head is damaged, or the files don't fit each other.
public func check(_ configuration: Configuration, over ranks: borrowing Communicator) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  let (train, test) = try outlines(configuration.data, over: ranks)
  var table = TextTable(["train", "\(configuration.data.trainOrigin), \(train.summary)"], [.left, .left])
  if let test { table.add(["test", "\(configuration.data.testOrigin), \(test.summary)"]) }
  table.add(["network", configuration.networkText(features: train.features)])
  table.add(["memory", configuration.memoryText(train, test, ranks: ranks.size)])
  table.add(["results", configuration.output.directory])
  console.print(table.lines)
  console.print("The configuration is in order.")
  return .done
}

/// The training set and, where there is one, the test set, which fit each other. Collective.
private func outlines(
  _ data: DataSection, over ranks: borrowing Communicator
) throws -> (train: Outline, test: Outline?) {
  guard let train = try Outline(data.trainSource, data.generator, samples: data.synthetic, over: ranks) else {
    throw Failure(.badConfiguration, Configuration.noTrainingSet, isShared: true)
  }
  guard train.hasLabels else {
    throw Failure(
      .badData, "\(data.trainOrigin) has no labels to learn from. Set label_column in [data].", isShared: true
    )
  }
  let test = try Outline(data.testSource, data.generator, samples: data.syntheticTest, over: ranks)
  if let test, test.features != train.features {
    throw Failure(
      .badData,
      "\(data.testOrigin) has \(test.features) features, the training set has \(train.features). "
        + "Check the files and label_column.", isShared: true)
  }
  return (train, test)
}

extension Configuration {
  /// "28-300-1, relu, hinge, bias"; "classes" for outputs that only a full read tells.
  fileprivate func networkText(features: Int) -> String {
    let widths = ([features] + network.hidden).map(String.init) + [outputs.map(String.init) ?? "classes"]
    return widths.joined(separator: "-") + ", \(network.activation), \(network.loss)"
      + (network.bias ? ", bias" : "")
  }

  /// What a rank will need of memory.
  fileprivate func memoryText(_ train: Outline, _ test: Outline?, ranks: Int) -> String {
    let network = network(features: train.features, outputs: outputs ?? 1)
    let columnBytes = MemoryLayout<Float>.size * (train.features + 1)
    let stateBytes = stateBytes(network, samples: 0)
    let bytesPerSample = columnBytes + self.stateBytes(network, samples: 1) - stateBytes
    guard let samples = train.samples else {
      return "about \(bytes(bytesPerSample)) a sample; only a full read tells how many there are"
    }
    func share(_ samples: Int) -> Int { (samples + ranks - 1) / ranks }
    let total = share(samples) * bytesPerSample + share(test?.samples ?? 0) * columnBytes + stateBytes
    return "about \(bytes(total)) a rank for training on \(counted(ranks, "rank"))"
  }
}

/// What is known of a data set before it is read or generated.
private struct Outline {
  let features: Int
  /// nil where only a full read tells.
  let samples: Int?
  let hasLabels: Bool
  let summary: String

  /// Looks at the head of the file, or at what the generator is to make; nil where there is neither. Collective.
  init?(
    _ source: Source?, _ generator: Synthetic?, samples: Int?, over ranks: borrowing Communicator
  ) throws {
    if let source {
      let preview = try preview(source, over: ranks)
      (features, self.samples, hasLabels) = (preview.features, preview.samples, preview.hasLabels)
      summary = preview.summary
    } else if let generator, let samples, samples > 0 {
      (features, self.samples, hasLabels) = (generator.features, samples, true)
      summary = counted(samples, "sample")
    } else {
      return nil
    }
  }
}

extension Preview {
  /// What the file holds, as far as its head tells.
  fileprivate var summary: String {
    let samples =
      samples.map { (isEstimate ? "about " : "") + counted($0, "sample") } ?? "unknown number of samples"
    return "\(format), \(bytes(fileSize)), \(samples), \(counted(features, "feature"))"
  }
}

extension Configuration {
  /// d_L where the configuration tells it.
  package var outputs: Int? {
    if data.task == .regression { return 1 }
    let classes = data.generator?.classes ?? (data.positiveClass == nil ? data.classes?.count : 2)
    return classes.map { $0 == 2 && !network.loss.isJoint ? 1 : $0 }
  }
}
