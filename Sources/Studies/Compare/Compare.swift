import ADMM
import Basics
import Configuration
import Datasets
import Files
import LinearAlgebra
import MPI
import Models
import Networks
import Optimizers
import Reports
import Runs
import Settings

/// Trains by several configurations on one data set, each from several seeds, and leaves tables, series and plots. Collective.
///
/// The data are read once, as the first configuration says with the first seed, which also decides the validation split: the
/// same for all runs. Nothing else is carried from one run to the next. A run that diverges is counted, not left out, and does not
/// change the exit status.
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
    options: ("--output", "--overwrite"),
    over: ranks)

  let first = contenders[0].configuration(seed: request.seeds[0])
  var data = try TrainingData.read(first, over: ranks) { what, share in
    console.progress("reading the \(what)", share)
  }
  let measure = data.studyMeasure
  let report = StudyReport(request, contenders, launch, measure, directory)
  console.print(report.heading(data))

  let log = try directory.log(StudyFiles.series, over: ranks)
  var runs = contenders.map { _ in [StudyRun]() }
  // Seed by seed, so that a machine that is slower for a while is so for every method.
  for seed in request.seeds {
    for (i, contender) in contenders.enumerated() {
      let configuration = contender.configuration(seed: seed)
      data.setTargets(for: configuration.network.loss)
      let run = try studyRun(configuration, data, measure, console, over: ranks) { record in
        let line = record.seriesLine(name: contender.name, method: contender.method, seed: seed)
        try log.append(line, over: ranks)
      }
      console.print(report.line(contender, run))
      runs[i].append(run)
    }
  }
  let entries = zip(contenders, runs).map { StudyEntry(name: $0.name, method: $0.method, runs: $1) }
  console.progress("fitting a linear model")
  data.setTargets(for: .square)
  let linear = try linearEntry(data, measure, over: ranks)
  for record in linear.runs[0].records {
    try log.append(record.seriesLine(name: linear.name, method: linear.method, seed: nil), over: ranks)
  }

  let study = Study(measure, thresholds: request.thresholds, entries: entries + [linear])
  console.print(study.lines)
  let text = report.heading(data) + study.lines
  try directory.write(StudyFiles.table, text.joined(separator: "\n") + "\n", over: ranks)
  let json = report.json(study, data, warnings: console.warnings)
  try directory.write(StudyFiles.json, json.document, over: ranks)
  let plots = try report.plot(study, console, over: ranks)
  console.print(["", "results: \(directory.path) (\((StudyFiles.tables + plots).joined(separator: ", ")))"])
  return .done
}

/// Trains once, from nothing but the data, and evaluates. Collective.
///
/// - Parameter report: is given each evaluated iterate.
private func studyRun(
  _ configuration: Configuration, _ data: borrowing TrainingData, _ measure: StudyMeasure, _ console: Console,
  over ranks: borrowing Communicator, report: (IterationRecord) throws -> Void
) throws -> StudyRun {
  // Its own clock, for the time of the start values.
  let phases = Phases()
  let seed = configuration.training.seed
  let network = configuration.network(features: data.train.featureCount, outputs: data.outputs)
  var records: [IterationRecord] = []
  do {
    let outcome = try trained(configuration, network, data, console, phases, over: ranks) { record in
      records.append(record)
      try report(record)
    }
    if records.isEmpty {
      // Diverged at once: what it would leave is its start.
      var record = IterationRecord(iteration: 0)
      try record.addQuality(of: outcome.W, network, data, over: ranks)
      records.append(record)
      try report(record)
    }
    return StudyRun(
      seed: seed, status: outcome.status, records: records,
      auc: try data.binaryAUC(of: outcome.W, network, measure.part, over: ranks),
      startSeconds: try ranks.max(phases[.start]))
  } catch let failure as Failure where failure.status == .numericalFailure && failure.isShared {
    // Not even a start: an iterate without a number.
    console.warn(failure.message)
    if records.isEmpty {
      records.append(IterationRecord(iteration: 0))
      try report(records[0])
    }
    return StudyRun(
      seed: seed, status: .diverged, records: records, startSeconds: try ranks.max(phases[.start]))
  }
}

/// The model that a network must beat, as an entry with one iterate: one pass over the data. Collective.
private func linearEntry(
  _ data: borrowing TrainingData, _ measure: StudyMeasure, over ranks: borrowing Communicator
) throws -> StudyEntry {
  try ranks.barrier()
  let start = monotonicSeconds()
  let linear = try LinearModel(
    a0: data.train.features.all, y: data.y.all, partition: data.train.partition, over: ranks)
  var record = IterationRecord(iteration: 1, seconds: try ranks.max(monotonicSeconds() - start))
  try record.addQuality(of: linear.W, linear.network, data, over: ranks)
  let auc = try data.binaryAUC(of: linear.W, linear.network, measure.part, over: ranks)
  return StudyEntry(
    name: CompareRequest.linearModel, method: "linear",
    runs: [StudyRun(seed: nil, status: nil, records: [record], auc: auc)])
}

extension TrainingData {
  /// What a study of these data compares: the test set if there is one, else the validation set, else the training set.
  fileprivate var studyMeasure: StudyMeasure {
    let part: StudyMeasure.Part =
      test.partition.samples > 0 ? .test : validation.partition.samples > 0 ? .validation : .train
    return StudyMeasure(part, isAccuracy: classNames != nil)
  }

  /// The area under the ROC curve for two classes; nil for other tasks. Collective.
  fileprivate func binaryAUC(
    of W: borrowing Layers<Matrix<Float>>, _ network: Network, _ part: StudyMeasure.Part,
    over ranks: borrowing Communicator
  ) throws -> Double? {
    guard classNames?.count == 2 else { return nil }
    func auc(_ dataset: borrowing Dataset) throws -> Double? {
      let scores = Scoring.scores(network, W, dataset)
      return try Evaluation(of: scores.all, labels: dataset.labels, loss: network.loss, over: ranks).auc
    }
    switch part {
    case .train: return try auc(train)
    case .validation: return try auc(validation)
    case .test: return try auc(test)
    }
  }
}
