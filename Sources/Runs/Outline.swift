import Basics
import Configuration
import Datasets
import Files
import MPI
import Reports

/// What is known of a data set before it is read or generated.
struct Outline {
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

/// How many of so many samples the rank with the most has.
func largestShare(of samples: Int, ranks: Int) -> Int { (samples + ranks - 1) / ranks }

/// The training set and, where there is one, the test set, which fit each other. Collective.
func outlines(
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

/// The bytes of files that are read whole to look ahead, for each rank: some seconds' work.
let wholeBytes = 512.0 * 1024 * 1024

extension DataSection {
  /// Whether the files are read whole to look ahead; nil where samples are generated. Collective.
  func isReadWhole(over ranks: borrowing Communicator) throws -> Bool? {
    try fileBytes(over: ranks).map { $0 <= Double(ranks.size) * wholeBytes }
  }

  /// The bytes of the files as they unpack, about; nil where samples are generated. What is not there counts nothing:
  /// to read it will tell. Collective.
  private func fileBytes(over ranks: borrowing Communicator) throws -> Double? {
    guard generator == nil else { return nil }
    let sizes = [train, test].compactMap { $0 }.map { path in
      Double(fileSize(path)) * (path.hasSuffix(".gz") ? 4 : 1)
    }
    return try ranks.max(sizes.reduce(0, +))
  }
}

private func fileSize(_ path: String) -> Int {
  do { return try InputFile(path).size } catch { return 0 }
}

extension Configuration {
  /// d_L where the configuration tells it.
  package var outputs: Int? {
    if data.task == .regression { return 1 }
    let classes = data.generator?.classes ?? (data.positiveClass == nil ? data.classes?.count : 2)
    return classes.map { $0 == 2 && !loss(classes: 2).isJoint ? 1 : $0 }
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
