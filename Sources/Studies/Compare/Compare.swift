import Basics
import LinearAlgebra
import MPI
import Reports
import Runs

/// Trains by several configurations on one data set, each from several seeds, and leaves tables, series and plots.
/// Collective.
///
/// The data are read once, as the first configuration says with the first seed, which also decides the validation
/// split: the same for all runs. Nothing else is carried from one run to the next. A run that diverges is counted,
/// not left out, and does not change the exit status.
///
/// - Throws: a shared `Failure` for whatever the user can mend.
public func compare(
  _ request: CompareRequest, isQuiet: Bool, over ranks: borrowing Communicator
) throws -> ExitStatus {
  precondition(!request.files.isEmpty && !request.seeds.isEmpty, "nothing to compare")
  let console = Console(isQuiet: isQuiet, ranks)
  let contenders = try request.contenders(over: ranks)
  setBLASThreads(1)
  let threads = contenders.map(\.configuration.training.threadsPerRank).max() ?? 1
  let launch = try Launch(threads: threads, over: ranks)
  launch.warnings.forEach(console.warn)
  let directory = try RunDirectory(
    request.directory, overwrite: request.overwrite, files: StudyFiles.all,
    inputs: request.files + contenders[0].configuration.data.inputPaths, options: ("--output", "--overwrite"),
    over: ranks)

  let first = contenders[0].configuration(seed: request.seeds[0])
  var data = try TrainingData.read(first, over: ranks, warn: console.warn) { what, share in
    console.progress("reading the \(what)", share)
  }
  let measure = data.studyMeasure
  let report = StudyReport(request, contenders, launch, measure, directory)
  console.print(report.heading(data))

  try directory.removeFormerRun(over: ranks)
  let log = try directory.log(StudyFiles.series, over: ranks, warn: console.warn)
  let entries = try request.train(contenders, on: &data, report, log, console, over: ranks)
  let linear = try linearEntry(&data, measure, log, console, over: ranks)
  let study = Study(measure, thresholds: request.thresholds, entries: entries + [linear])
  console.print(study.lines)
  try report.write(study, data, console, over: ranks)
  try log.finish(over: ranks)
  return .done
}

extension CompareRequest {
  /// Trains by every configuration from every seed. Collective.
  ///
  /// - Parameter data: gets the targets of each configuration's loss in turn.
  fileprivate func train(
    _ contenders: [Contender], on data: inout TrainingData, _ report: StudyReport, _ log: Log,
    _ console: Console, over ranks: borrowing Communicator
  ) throws -> [StudyEntry] {
    var runs = contenders.map { _ in [StudyRun]() }
    // Seed by seed, so that a machine that is slower for a while is so for every method.
    for seed in seeds {
      for (i, contender) in contenders.enumerated() {
        let configuration = contender.configuration(seed: seed)
        data.setTargets(for: configuration.loss(for: data.labels))
        let run = try studyRun(configuration, data, report.measure, console, over: ranks) { record in
          let line = record.seriesLine(name: contender.name, method: contender.method, seed: seed)
          log.append(line)
        }
        console.print(report.line(contender, run))
        runs[i].append(run)
      }
    }
    return zip(contenders, runs).map { StudyEntry(name: $0.name, method: $0.method, runs: $1) }
  }
}

extension TrainingData {
  /// What a study of these data compares: the test set if there is one, else the validation set, else the training
  /// set.
  fileprivate var studyMeasure: StudyMeasure {
    let part: DataPart = set(.test) != nil ? .test : set(.validation) != nil ? .validation : .train
    return StudyMeasure(part, isAccuracy: classNames != nil)
  }
}
