import Basics
import Configuration
import Datasets
import Files
import MPI
import Reports

/// Looks at a configuration's data files without reading their samples, and prints what a run would need. Collective.
///
/// - Throws: a shared `Failure` where a file is missing, its head is damaged, or the files don't fit each other.
public func check(_ configuration: Configuration, over ranks: borrowing Communicator) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  let data = configuration.data
  guard let train = try Outline(data.trainSource, data.generator, samples: data.synthetic, over: ranks) else {
    throw Failure(.badConfiguration, Configuration.noTrainingSet, isShared: true)
  }
  guard train.hasLabels else {
    throw Failure(
      .badData, "\(data.trainOrigin) has no labels to learn from. Set label_column in [data].", isShared: true
    )
  }
  var table = TextTable(["train", "\(data.trainOrigin), \(train.summary)"], [.left, .left])
  let test = try Outline(data.testSource, data.generator, samples: data.syntheticTest, over: ranks)
  if let test {
    table.add(["test", "\(data.testOrigin), \(test.summary)"])
    guard test.features == train.features else {
      throw Failure(
        .badData,
        "\(data.testOrigin) has \(test.features) features, the training set has \(train.features). "
          + "Check the files and label_column.",
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
  let columnBytes = MemoryLayout<Float>.size * (train.features + 1)
  let stateBytes = configuration.stateBytes(network, samples: 0)
  let bytesPerSample = columnBytes + configuration.stateBytes(network, samples: 1) - stateBytes
  func share(_ samples: Int) -> Int { (samples + ranks.size - 1) / ranks.size }
  let fixedBytes =
    share(test?.samples ?? 0) * columnBytes + stateBytes
  table.add([
    "memory",
    train.samples.map {
      "about \(bytes(share($0) * bytesPerSample + fixedBytes)) a rank for training on \(counted(ranks.size, "rank"))"
    }
      ?? "about \(bytes(bytesPerSample)) a sample; only a full read tells how many there are",
  ])
  table.add(["results", configuration.output.directory])
  console.print(table.lines)
  console.print("The configuration is in order.")
  return .done
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
