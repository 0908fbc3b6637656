import Basics
import Files
import Glibc
import HDF5
import LinearAlgebra
import MPI

/// Writes a data set as an HDF5 file that `readDataset` reads back with the same result. Collective.
///
/// The file has `features` [N, d] in single precision, `feature_names` [d], and, as there are labels, `labels` [N] with the numbers of
/// the classes and `class_names`, or with the targets. It is written under another name and renamed at the end, so that a file of
/// this name is a whole one.
///
/// - Throws: a shared `Failure` of status `inputOutput` where the file can't be written, or is there and `overwrite` is false.
public func writeHDF5(
  _ dataset: borrowing Dataset, to path: String, overwrite: Bool = false, over ranks: borrowing Communicator
) throws {
  let isRoot = ranks.isRoot
  let partial = path + ".partial"
  try ranks.agree {
    guard isRoot && !overwrite && access(path, F_OK) == 0 else { return }
    throw Failure(
      .inputOutput, "\(path) is there already. Choose another name, or ask for it to be overwritten.")
  }
  do {
    try writeArrays(dataset, to: partial, over: ranks)
    try ranks.agree {
      guard isRoot && rename(partial, path) != 0 else { return }
      throw Failure(.inputOutput, "\(path) can't be written: \(systemError()).")
    }
  } catch {
    if isRoot { unlink(partial) }
    throw error
  }
}

private func writeArrays(
  _ dataset: borrowing Dataset, to path: String, over ranks: borrowing Communicator
) throws {
  let file = try HDF5File(creating: path, over: ranks)
  let samples = dataset.partition.samples
  let range = dataset.range
  let features = try file.create("features", of: Float.self, shape: [samples, dataset.featureCount])
  let stride = dataset.features.rows
  let entries = UnsafeBufferPointer(dataset.features.elements)
  try ranks.agree { try features.write(range, from: entries, stride: stride, over: ranks) }
  try file.write(dataset.featureNames, to: HDF5Names.features)
  switch dataset.labels {
  case .classes(let codes, let names):
    let labels = try file.create("labels", of: Int32.self, shape: [samples])
    try ranks.agree { try codes.withUnsafeBufferPointer { try labels.write(range, from: $0, over: ranks) } }
    try file.write(names, to: HDF5Names.classes)
  case .targets(let targets):
    let labels = try file.create("labels", of: Float.self, shape: [samples])
    try ranks.agree { try targets.withUnsafeBufferPointer { try labels.write(range, from: $0, over: ranks) } }
  case .none: break
  }
  try file.close()
}
