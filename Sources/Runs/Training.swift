import ADMM
import Basics
import Configuration
import Files
import HDF5
import LinearAlgebra
import MPI
import Optimizers
import Reports
import Settings

/// Trains a network as a configuration says, and leaves a run directory. Collective.
///
/// - Returns: what the process should end with: `done`, or `numericalFailure` for a run that diverged.
/// - Throws: a shared `Failure` for whatever the user can mend.
public func train(
  _ configuration: Configuration, isQuiet: Bool, over ranks: borrowing Communicator
) throws -> ExitStatus {
  let phases = Phases()
  let console = Console(isQuiet: isQuiet, ranks)
  // They share a rank's chunks. A BLAS call has one: of tall and skinny factors it runs slower on two.
  let threads = configuration.training.threadsPerRank
  setBLASThreads(1)
  let launch = try Launch(threads: threads, over: ranks)
  let misplaced = launch.warnings
  misplaced.forEach(console.warn)
  let directory = try RunDirectory(
    configuration.output.directory, overwrite: configuration.output.overwrite, over: ranks)

  let data = try phases.measure(.load) {
    try TrainingData.read(configuration, over: ranks) { what, share in
      console.progress("reading the \(what)", share)
    }
  }
  let network = configuration.network(features: data.train.featureCount, outputs: data.outputs)
  let speeds = try measuredProductSpeeds(over: ranks)
  // Where ranks share cores, that is the reason, and has been told.
  if misplaced.isEmpty { launch.machine.slowProducts(speeds).map(console.warn) }
  let memory = try Spread(
    Double(predictedBytes(configuration, network, data)),
    over: ranks)
  console.print(banner(launch, configuration, network, data, memory, directory).lines)

  console.progress("fitting a linear model")
  let linear = try phases.measure(.baseline) {
    try advising(Configuration.dataAdvice) {
      try LinearModel(
        a0: data.train.features.all, y: data.y.all, partition: data.train.partition, over: ranks)
    }
  }
  let log = try directory.log("iterations.jsonl", over: ranks)
  var table = IterationTable()
  let outcome = try trained(configuration, network, data, console, phases, over: ranks) { record in
    try log.append(record.json.compact, over: ranks)
    console.print(table.lines(record))
  }

  let baselines = try phases.measure(.baseline) {
    try trainedBaselines(configuration, network, data, console, over: ranks)
  }
  console.progress("evaluating")
  let results = try phases.measure(.evaluate) {
    try TrainingResults(outcome, network, linear, baselines, data, over: ranks)
  }
  let model = configuration.model(network, outcome, data)
  try phases.measure(.save) { try model.write(to: directory.path(of: "model.h5"), over: ranks) }

  let local = try ranks.gather([phases[.update] + phases[.sum]]).enumerated().map { rank, seconds in
    (seconds[0], data.train.partition.range(of: rank).count)
  }
  if misplaced.isEmpty { launch.machine.slowSweeps(local).map(console.warn) }
  let exitStatus: ExitStatus = outcome.status == .diverged ? .numericalFailure : .done
  let summary = RunSummary(
    RunSummary.Outcome(outcome.status, exitStatus: exitStatus, iterations: outcome.iterations),
    launch: launch, settings: RunSummary.Settings(configuration),
    problem: problem(network, data),
    results: RunSummary.Results(
      final: results.final, best: results.best, baselines: results.baselines,
      weightsSHA256: model.weightsSHA256),
    cost: RunSummary.Cost(
      outcome.work, iterations: outcome.iterations, sgemmGflopsPerRank: speeds.min * Double(threads)),
    phases: try phases.report(over: ranks), memory: try PeakMemory(over: ranks), warnings: console.warnings)
  try directory.write("run.json", summary.json.document, over: ranks)
  console.print(results.lines)
  console.print(summary.closingLines(directory))
  return exitStatus
}
