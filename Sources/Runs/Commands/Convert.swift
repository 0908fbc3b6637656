import Basics
import Configuration
import Datasets
import Files
import MPI
import Reports

/// Writes a data set as an HDF5 file, which all ranks can read at once (see `writeHDF5`). Collective.
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
  // Refused before the input is read, not after.
  let source = data.source(inputPath)
  let output = try PendingFile(outputPath, force: force, keeping: source.inputPaths, over: ranks)
  let dataset = try readDataset(
    source, task: data.task, selection: data.selection,
    over: ranks
  ) { console.progress("reading \(inputPath)", $0) }
  dataset.mergedWarning(inputPath).map(console.warn)
  console.progress("writing \(outputPath)")
  try writeHDF5(dataset, to: output, over: ranks)
  console.print(
    "\(outputPath): \(counted(dataset.partition.samples, "sample")), \(counted(dataset.featureCount, "feature"))"
  )
  return .done
}
