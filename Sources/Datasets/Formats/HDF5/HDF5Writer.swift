import Basics
import Files
import HDF5
import LinearAlgebra
import MPI

/// Writes a data set as an HDF5 file that `readDataset` reads back with the same result. Collective.
///
/// The file has `features` [N, d] in single precision, `feature_names` [d] where the columns have names, and, as there
/// are labels, `labels` [N]: the numbers of the classes, beside `class_names`, or the targets.
///
/// - Throws: a shared `Failure` of status `inputOutput` where the file can't be written.
package func writeHDF5(
  _ dataset: borrowing Dataset, to output: PendingFile, over ranks: borrowing Communicator
) throws {
  let (samples, d, labels) = (dataset.partition.samples, dataset.featureCount, dataset.labels)
  let names = dataset.columns.features
  let classes = if case .classes(_, let names) = labels { names } else { [String]() }
  let bytes = samples * (d + 1) * MemoryLayout<Float>.size
  let (range, entries, stride) = (dataset.range, dataset.features.elements, dataset.features.rows)
  try output.writeSealedHDF5(bytes: bytes, texts: (names ?? []) + classes, over: ranks) { outline in
    let features = try outline.reserve("features", of: Float.self, shape: [samples, d])
    if let names { try outline.write(names, to: HDF5Names.features) }
    switch labels {
    case .classes:
      try outline.write(classes, to: HDF5Names.classes)
      return [features, try outline.reserve("labels", of: Int32.self, shape: [samples])]
    case .targets: return [features, try outline.reserve("labels", of: Float.self, shape: [samples])]
    case .none: return [features]
    }
  } fill: { reserved, file in
    try reserved[0].write(range, from: entries, stride: stride, to: file)
    switch labels {
    case .classes(let codes, _):
      try codes.withUnsafeBufferPointer { try reserved[1].write(range, from: $0, to: file) }
    case .targets(let targets):
      try targets.withUnsafeBufferPointer { try reserved[1].write(range, from: $0, to: file) }
    case .none: break
    }
  }
}
