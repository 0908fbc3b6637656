import Datasets
import HDF5
import LinearAlgebra
import MPI

/// Writes a data set as an HDF5 file: `features` [N, d], `labels` [N] where there are labels, `feature_names` [d]. Collective.
///
/// Labels that are numbers stay numbers. Others are written as 0, 1, … in the order of `class_names`, a list of text beside them.
///
/// - Parameters:
///   - inputPath: a data set in any format.
///   - outputPath: the file to make.
///   - settings: how to read the input.
///   - force: whether an existing output may be replaced.
/// - Throws: a shared `Failure` where the input can't be read or the output not written.
public func convert(
  inputPath: String, outputPath: String, settings: [DataSetting], force: Bool, isQuiet: Bool,
  over ranks: borrowing Communicator
) throws -> ExitStatus {
  let console = Console(isQuiet: isQuiet, ranks)
  let data = try Configuration.defaults(with: settings, over: ranks).data
  let output = try PendingFile(outputPath, force: force, over: ranks)
  let dataset = try readDataset(
    data.source(inputPath, labelsPath: data.trainLabels), task: data.task, selection: data.selection,
    over: ranks
  ) { console.progress("reading \(inputPath)", $0) }
  console.progress("writing \(outputPath)")
  do {
    try write(dataset, to: output.temporaryPath, over: ranks)
    try output.commit(over: ranks)
  } catch {
    output.discard(ranks)
    throw error
  }
  console.print(
    "\(outputPath): \(counted(dataset.partition.samples, "sample")), \(counted(dataset.featureCount, "feature"))"
  )
  return .done
}

private func write(
  _ dataset: borrowing Dataset, to path: String, over ranks: borrowing Communicator
) throws {
  let (N, d) = (dataset.partition.samples, dataset.featureCount)
  let file = try File(creating: path, over: ranks)
  do {
    // A sample is a row in the file; in memory it is a column of d + 1 numbers, of which the last is not written.
    let features = try file.create("features", of: Float.self, shape: [N, d])
    try features.write(
      dataset.range,
      from: UnsafeBufferPointer(start: dataset.features.base, count: (d + 1) * dataset.range.count),
      stride: d + 1, over: ranks)
    try file.write(dataset.featureNames, to: "feature_names")
  }
  switch dataset.labels {
  case .none: break
  case .targets(let targets):
    let labels = try file.create("labels", of: Float.self, shape: [N])
    try targets.withUnsafeBufferPointer { try labels.write(dataset.range, from: $0, over: ranks) }
  case .classes(let codes, let names):
    let numbers = names.compactMap { Double($0) }
    let values = numbers.count == names.count ? numbers : names.indices.map(Double.init)
    if numbers.count < names.count { try file.write(names, to: "class_names") }
    let labels = try file.create("labels", of: Double.self, shape: [N])
    let own = codes.map { values[Int($0)] }
    try own.withUnsafeBufferPointer { try labels.write(dataset.range, from: $0, over: ranks) }
  }
  try file.close()
}
