import Basics
import MPI

/// Reads a data set; each rank gets the samples that it owns by `Partition`. Collective.
///
/// Of HDF5, IDX and plain CSV files each rank reads its own part only. A gzip file is read by rank 0, which deals
/// it out. The samples then go to their owners: the result is the same for any number of ranks, and the peak of
/// memory is about twice a rank's own samples.
///
/// - Parameters:
///   - classes: the labels there may be, in the order of their codes, as an earlier data set had them; `nil` takes
///     what is found. With a `selection` other than `.all` it only allows that the selected classes are absent.
///   - selection: which samples of a classification task to take, and as what.
///   - missing: what to do with empty fields and with numbers that are not finite.
///   - chunk: samples a chunk of the partition; `nil` chooses by their number.
///   - progress: told the fraction of its own part that a rank has read. For a gzip file rank 0's is called only.
/// - Throws: a shared `Failure`: `noInput` where the file can't be opened, `badData` where it is damaged or does
///   not fit the source, with the first faulty line, column or sample of the file.
public func readDataset(
  _ source: Source, task: LearningTask, classes: [String]? = nil, selection: LabelSelection = .all,
  missing: Source.MissingValues = .refuse, chunk: Int? = nil, over ranks: borrowing Communicator,
  progress: (Double) -> Void = { _ in }
) throws -> Dataset {
  var intake = try Intake(task: task, classes: classes, selection: selection, missing: missing)
  let file = try FileHead(source.path, over: ranks)
  var read = try source.options.format(of: file).read(
    source, file, into: &intake, over: ranks, progress: progress)
  let labels =
    read.hasLabels
    ? try intake.settle(&read.parcels, path: source.path, read.labelSource, over: ranks)
    : .none
  var dataset = try distribute(
    &read.parcels, featureNames: read.featureNames, labels: labels, chunk: chunk, over: ranks)
  dataset.columns = read.columns
  guard dataset.partition.samples > 0 else {
    throw Failure(
      .badData,
      "\(source.path) holds no samples\([.all, .ignored].contains(selection) ? "" : " of these classes").",
      isShared: true)
  }
  dataset.labelSource = read.labelSource
  dataset.merged = read.merged
  progress(1)
  return dataset
}
