import Basics
import Files
import HDF5
import LinearAlgebra
import MPI

/// Writes a data set as an HDF5 file that `readDataset` reads back with the same result. Collective.
///
/// The file has `features` [N, d] in single precision, `feature_names` [d], and, as there are labels, `labels` [N]:
/// the numbers of the classes, beside `class_names`, or the targets.
///
/// - Throws: a shared `Failure` of status `inputOutput` where the file can't be written.
package func writeHDF5(
  _ dataset: borrowing Dataset, to output: PendingFile, over ranks: borrowing Communicator
) throws {
  try output.writeTogether(over: ranks) { path in try writeArrays(dataset, to: path, over: ranks) }
}

private func writeArrays(
  _ dataset: borrowing Dataset, to path: String, over ranks: borrowing Communicator
) throws {
  let file = try HDF5File(creating: path, over: ranks)
  let samples = dataset.partition.samples
  let range = dataset.range
  let features = try file.create("features", of: Float.self, shape: [samples, dataset.featureCount])
  let stride = dataset.features.rows
  let entries = dataset.features.elements
  try features.write(range, from: entries, stride: stride, over: ranks)
  try file.write(dataset.featureNames, to: HDF5Names.features)
  switch dataset.labels {
  case .classes(let codes, let names):
    let labels = try file.create("labels", of: Int32.self, shape: [samples])
    try codes.withUnsafeBufferPointer { try labels.write(range, from: $0, over: ranks) }
    try file.write(names, to: HDF5Names.classes)
  case .targets(let targets):
    let labels = try file.create("labels", of: Float.self, shape: [samples])
    try targets.withUnsafeBufferPointer { try labels.write(range, from: $0, over: ranks) }
  case .none: break
  }
  try file.close()
}
