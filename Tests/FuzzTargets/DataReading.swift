import Basics
import Datasets
import Files
import LinearAlgebra
import MPI
import TestSupport

/// One way to read a file of samples, and what is done with them then.
struct DataReading: Sendable {
  /// What is made of the samples that were read.
  enum Use {
    /// As `describe` does.
    case statistics
    /// As training does.
    case standardization
    /// As `convert` does; what was written is read back.
    case conversion
    /// A gzip file of the same bytes is read, which must give the same.
    case compression
  }

  /// The name of the input's file.
  var name: String
  /// How a text is laid out; that there are no labels holds for all formats.
  var layout = CSVFormat()
  var task = LearningTask.classification
  var selection = LabelSelection.all
  var use = Use.standardization
  /// What else must be there: files made of the input.
  var companion: Companion?

  /// A file beside the input's.
  struct Companion: Sendable {
    let name: String
    let bytes: @Sendable (_ input: [UInt8]) -> [UInt8]
    /// Whether the companion is what is read as samples, and the input belongs to it.
    var isMain = false
  }

  /// Reads an input in this way. Collective.
  func read(_ bytes: [UInt8], in scratch: Scratch, over ranks: borrowing Communicator) throws {
    var path = try scratch.write(name, bytes, over: ranks)
    if let companion {
      let other = try scratch.write(companion.name, companion.bytes(bytes), over: ranks)
      if companion.isMain { path = other }
    }
    if use == .compression { return try compareCompressed(bytes, path, in: scratch, over: ranks) }
    var dataset = try checkedRead(path, over: ranks)
    switch use {
    case .statistics: _ = try Statistics(of: dataset, over: ranks)
    case .standardization:
      let standardization = try Standardization(of: dataset, over: ranks)
      standardization.apply(to: &dataset)
      try requireFinite(dataset, "standardised feature")
    case .conversion: try convert(dataset, in: scratch, over: ranks)
    case .compression: break
    }
  }

  /// Looks at the head, reads, and compares what either says.
  private func checkedRead(_ path: String, over ranks: borrowing Communicator) throws -> Dataset {
    let source = Source(path, layout)
    let head = try preview(source, over: ranks)
    let dataset = try readDataset(
      source, task: task, selection: selection, missing: use == .statistics ? .keepNaN : .refuse, over: ranks)
    guard head.featureNames == dataset.featureNames, head.hasLabels == (dataset.labels != .none) else {
      throw Finding("the head says \(head), and read were \(dataset.featureNames)")
    }
    if let samples = head.samples, !head.isEstimate, selection == .all, samples != dataset.partition.samples {
      throw Finding("the head says \(samples) samples, and read were \(dataset.partition.samples)")
    }
    if use != .statistics { try requireFinite(dataset, "feature") }
    return dataset
  }

  private func requireFinite(_ dataset: borrowing Dataset, _ what: String) throws {
    guard let bad = dataset.features.elements.firstIndex(where: { !$0.isFinite }) else { return }
    throw Finding("\(what) \(bad) of this rank is \(dataset.features.elements[bad])")
  }

  /// Writes a data set, and reads what was written.
  private func convert(
    _ dataset: borrowing Dataset, in scratch: Scratch, over ranks: borrowing Communicator
  ) throws {
    let path = scratch.path("converted.h5")
    defer { scratch.remove("converted.h5", over: ranks) }
    try writeHDF5(dataset, to: PendingFile(path), over: ranks)
    let again: Dataset
    do {
      let layout = CSVFormat(labelColumn: dataset.labels == .none ? .none : .number(1))
      again = try readDataset(Source(path, layout), task: task, over: ranks)
    } catch let failure as Failure {
      throw Finding("what was converted is refused: \(failure.message)")
    }
    try requireEqual(again, dataset, "what was converted")
  }

  /// Reads the input as it is and as a gzip file.
  private func compareCompressed(
    _ bytes: [UInt8], _ path: String, in scratch: Scratch, over ranks: borrowing Communicator
  ) throws {
    // What is compressed already would be compressed twice.
    guard !bytes.starts(with: [0x1F, 0x8B]) else { return }
    let compressed = try scratch.write(name + ".gz", gzip(bytes), over: ranks)
    let plain = Result { try OnHeap(checkedRead(path, over: ranks)) }
    let inflated = Result { try OnHeap(checkedRead(compressed, over: ranks)) }
    switch (plain, inflated) {
    case (.success(let plain), .success(let inflated)):
      try requireEqual(inflated.dataset, plain.dataset, "what was compressed")
    case (.failure(let plain as Failure), .failure(let inflated as Failure)):
      guard plain.status == inflated.status else {
        throw Finding("refused for \"\(plain.message)\", compressed for \"\(inflated.message)\"")
      }
      throw plain
    case (.success, .failure(let error)): throw Finding("refused only when compressed: \(error)")
    case (.failure(let error), .success): throw Finding("refused only as it is: \(error)")
    case (.failure(let error), _): throw error
    }
  }

  /// A data set where a value that can be copied is wanted.
  private final class OnHeap {
    let dataset: Dataset
    init(_ dataset: consuming Dataset) { self.dataset = dataset }
  }

  private func requireEqual(_ one: borrowing Dataset, _ other: borrowing Dataset, _ what: String) throws {
    guard one.labels == other.labels, one.featureNames == other.featureNames, one.range == other.range,
      zip(one.features.elements, other.features.elements).allSatisfy({ $0.bitPattern == $1.bitPattern })
    else { throw Finding("\(what) is read as something else") }
  }
}
