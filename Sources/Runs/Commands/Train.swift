import Basics
import Configuration
import LinearAlgebra
import MPI
import Models
import Networks
import Optimizers
import Reports

/// Trains a network as a configuration says, and leaves a run directory. Collective.
///
/// - Parameter file: the configuration's file, which no result may replace.
/// - Returns: what the process should end with: `done`, or `numericalFailure` for a run that diverged.
/// - Throws: a shared `Failure` for whatever the user can mend.
public func train(
  _ configuration: Configuration, from file: String? = nil, isQuiet: Bool,
  over ranks: borrowing Communicator
) throws -> ExitStatus {
  let phases = Phases()
  let console = Console(isQuiet: isQuiet, ranks)
  // Threads share a rank's chunks. A BLAS call has one: of tall and skinny factors it runs slower on two.
  setBLASThreads(1)
  let launch = try Launch(threads: configuration.training.threadsPerRank, over: ranks)
  launch.warnings.forEach(console.warn)
  let directory = try RunDirectory(
    configuration.output.directory, overwrite: configuration.output.overwrite,
    inputs: configuration.data.inputPaths + (file.map { [$0] } ?? []), over: ranks)

  let watchdog = try Watchdog(
    configuration.stop, in: directory.path, hosts: launch.machine.hostOfRank, over: ranks)
  defer { watchdog.end() }

  let data = try readData(configuration, console, phases, over: ranks)
  let network = configuration.network(features: data.samples.featureCount, outputs: data.samples.outputs)
  let speeds = try measuredProductSpeeds(over: ranks)
  // Where ranks share cores, that is the reason, and has been told.
  if launch.warnings.isEmpty { launch.machine.slowProducts(speeds).map(console.warn) }
  let memory = try Spread(data.predictedBytes(configuration, network), over: ranks)
  try checkMemory(
    configuration.stateBytes(network, samples: data.samples.count), beside: data.heldBytes, over: ranks)
  try directory.checkRoom(for: 4 * network.flatCount + 16_384, over: ranks)
  console.print(banner(launch, configuration, network, data, memory, directory).lines)

  let linear = try fitLinearModel(data, network, console, phases, over: ranks)
  try directory.removeFormerRun(over: ranks)
  let log = try directory.log("iterations.jsonl", over: ranks, warn: console.warn)
  let outcome = try trainLogged(network, configuration, data, log, console, phases, over: ranks)
  let baselines = try phases.measure(.baseline) {
    try trainBaselines(configuration, network, data, console, over: ranks)
  }
  console.progress("evaluating")
  let results = try phases.measure(.evaluate) {
    try TrainingResults(outcome, network, linear, baselines, data, over: ranks)
  }
  let model = Model(network, outcome, data, configuration)
  var losses = Losses(console)
  try phases.measure(.save) {
    try losses.noting {
      try directory.restore(console, over: ranks)
      try model.write(to: directory.path(of: "model.h5"), over: ranks)
    }
    try losses.noting { try log.finish(over: ranks) }
  }

  if launch.warnings.isEmpty { try warnOfSlowRanks(launch, data, console, phases, over: ranks) }
  let summary = RunSummary(
    RunSummary.Outcome(outcome, losses), launch: launch, settings: RunSummary.Settings(configuration),
    problem: RunSummary.Problem(network, data),
    results: RunSummary.Results(results, weightsSHA256: model.weightsSHA256),
    cost: RunSummary.Cost(
      outcome.work, iterations: outcome.iterations,
      sgemmGflopsPerRank: speeds.min * Double(launch.machine.threads)),
    phases: try phases.report(over: ranks), memory: try PeakMemory(over: ranks), 
    warnings: console.warnings + watchdog.reports)
  try losses.noting { try directory.write("run.json", summary.json.document, over: ranks) }
  console.print(results.lines + summary.closingLines(directory))
  console.printResult(results.brief(directory.path(of: "model.h5"), summary.outcome))
  return losses.status ?? summary.outcome.exitStatus
}

private func readData(
  _ configuration: Configuration, _ console: Console, _ phases: Phases, over ranks: borrowing Communicator
) throws -> TrainingData {
  try phases.measure(.load) {
    try TrainingData.read(configuration, over: ranks, warn: console.warn) { what, share in
      console.progress("reading the \(what)", share)
    }
  }
}

/// The model that a network must beat. Collective.
private func fitLinearModel(
  _ data: borrowing TrainingData, _ network: Network, _ console: Console, _ phases: Phases, over ranks: borrowing Communicator
) throws -> LinearModel {
  console.progress("fitting a linear model")
  return try phases.measure(.baseline) {
    try data.advising(network, over: ranks) { try LinearModel(data.samples, over: ranks) }
  }
}

/// Trains the network; each evaluated iterate becomes a row of the console and a line of iterations.jsonl.
/// Collective.
private func trainLogged(
  _ network: Network, _ configuration: Configuration, _ data: borrowing TrainingData,
  _ log: Log, _ console: Console, _ phases: Phases, over ranks: borrowing Communicator
) throws -> TrainingOutcome {
  var table = IterationTable()
  return try trainNetwork(network, configuration, data, console, phases, over: ranks) { record in
    log.append(record.json.compact)
    console.print(table.lines(record))
  }
}

/// Warns of ranks whose own work takes far longer than the others', sample by sample. Collective.
private func warnOfSlowRanks(
  _ launch: Launch, _ data: borrowing TrainingData, _ console: Console, _ phases: Phases,
  over ranks: borrowing Communicator
) throws {
  let partition = data.samples.partition
  let work = try ranks.gather([phases[.update] + phases[.sum]]).enumerated().map { rank, seconds in
    (seconds[0], partition.range(of: rank).count)
  }
  launch.machine.slowSweeps(work).map(console.warn)
}
