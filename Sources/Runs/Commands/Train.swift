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
/// - Parameters:
///   - file: the configuration's file, which no result may replace.
///   - resumes: whether to go on with the run that its directory holds, if there is one.
/// - Returns: what the process should end with: `done`, `numericalFailure` for a run that diverged, `stoppedEarly` for
///   one that can go on.
/// - Throws: a shared `Failure` for whatever the user can mend.
public func train(
  _ configuration: Configuration, from file: String? = nil, resumes: Bool = false, isQuiet: Bool,
  over ranks: borrowing Communicator
) throws -> ExitStatus {
  let begun = monotonicSeconds()
  let phases = Phases()
  let console = Console(isQuiet: isQuiet, ranks)
  // Threads share a rank's chunks. A BLAS call has one: of tall and skinny factors it runs slower on two.
  setBLASThreads(1)
  let launch = try Launch(threads: configuration.training.threadsPerRank, over: ranks)
  launch.warnings.forEach(console.warn)
  let directory = try RunDirectory(
    configuration.output.directory, overwrite: configuration.output.overwrite, resumes: resumes,
    inputs: configuration.data.inputPaths + (file.map { [$0] } ?? []), over: ranks)
  if resumes, let end = try directory.finished(configuration.training.iterations, over: ranks) {
    console.print(
      "the run in \(directory.path) is finished: \(end.status.rawValue) after "
        + "\(counted(end.iterations, "iteration")).")
    return end.exitStatus
  }
  Signals.watch(.polite)

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
  let keeper = RunKeeper(
    configuration, network, directory,
    try runClock(configuration, network, data, begun: begun, console, over: ranks),
    console, phases,
    described: RunSummary.described(
      launch, RunSummary.Settings(configuration), RunSummary.Problem(network, data),
      warnings: console.warnings),
    isRoot: ranks.isRoot)
  keeper.clock.join(ranks.notices)
  Signals.watch(.all)
  let outcome = try trainLogged(network, configuration, data, keeper, resumes, console, phases, over: ranks)

  let model = Model(network, outcome, data, configuration)
  var losses = try phases.measure(.save) { try save(model, directory, keeper, console, over: ranks) }
  let results = try results(outcome, network, linear, configuration, data, console, phases, over: ranks)
  if launch.warnings.isEmpty { try warnOfSlowRanks(launch, data, console, phases, over: ranks) }
  var summary = RunSummary(
    RunSummary.Outcome(outcome, hasCheckpoint: keeper.hasCheckpoint, losses), launch: launch,
    settings: RunSummary.Settings(configuration), problem: RunSummary.Problem(network, data),
    results: RunSummary.Results(results, weightsSHA256: model.weightsSHA256),
    cost: RunSummary.Cost(
      outcome.work, iterations: outcome.iterations,
      sgemmGflopsPerRank: speeds.min * Double(launch.machine.threads)),
    phases: try phases.report(over: ranks), memory: try PeakMemory(over: ranks),
    warnings: console.warnings + watchdog.reports)
  summary.resumedAt = keeper.resumedAt
  summary.checkpoints = (keeper.checkpointCount, keeper.checkpointSeconds)
  try losses.noting { try directory.write("run.json", summary.json.document, over: ranks) }
  console.print(results.lines + summary.closingLines(directory))
  console.printResult(results.brief(directory.path(of: "model.h5"), summary.outcome))
  return losses.status ?? summary.outcome.exitStatus
}

/// Trains what the run is held against, unless it has to end early, and evaluates all. Collective.
private func results(
  _ outcome: borrowing TrainingOutcome, _ network: Network, _ linear: borrowing LinearModel,
  _ configuration: Configuration, _ data: borrowing TrainingData, _ console: Console, _ phases: Phases,
  over ranks: borrowing Communicator
) throws -> TrainingResults {
  let baselines = try phases.measure(.baseline) {
    try outcome.status.isEarly ? [] : trainBaselines(configuration, network, data, console, over: ranks)
  }
  console.progress("evaluating")
  return try phases.measure(.evaluate) {
    try TrainingResults(outcome, network, linear, baselines, data, over: ranks)
  }
}

/// Saves the weights to keep, and what of the log could not be written before. Collective.
///
/// - Returns: what could not be written.
private func save(
  _ model: borrowing Model, _ directory: RunDirectory, _ keeper: RunKeeper, _ console: Console,
  over ranks: borrowing Communicator
) throws -> Losses {
  var losses = Losses(console)
  try losses.noting {
    try directory.restore(console, over: ranks)
    try model.write(to: directory.path(of: "model.h5"), over: ranks)
  }
  try losses.noting { try keeper.finishLog(over: ranks) }
  return losses
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
  _ data: borrowing TrainingData, _ network: Network, _ console: Console, _ phases: Phases,
  over ranks: borrowing Communicator
) throws -> LinearModel {
  console.progress("fitting a linear model")
  return try phases.measure(.baseline) {
    try data.advising(network, over: ranks) { try LinearModel(data.samples, over: ranks) }
  }
}

/// What time and signals ask of the run. Collective.
///
/// - Parameter begun: when the program began, on the clock of `monotonicSeconds`.
private func runClock(
  _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData, begun: Double,
  _ console: Console, over ranks: borrowing Communicator
) throws -> RunClock {
  var seconds: Double?
  switch configuration.stop.timeLimit {
  case nil: break
  case .seconds(let limit): seconds = limit - (monotonicSeconds() - begun)
  case .slurm:
    if ranks.isRoot { seconds = secondsToEndOfSlurmJob() }
    if ranks.isRoot && seconds == nil {
      console.warn("stop.time_limit is \"auto\", but Slurm tells of no end: there is no limit.")
    }
  }
  let minutes = configuration.checkpoint.everyMinutes
  // Before the first checkpoint: as if all state went to a disk of 200 MB/s.
  let bytes = try ranks.sum(configuration.stateBytes(network, samples: data.samples.count))
  return RunClock(
    seconds: seconds, interval: minutes > 0 ? 60 * minutes : nil, checkpoint: bytes / 2e8,
    isRoot: ranks.isRoot)
}

/// Trains the network; each evaluated iterate becomes a row of the console and a line of iterations.jsonl.
/// Collective.
private func trainLogged(
  _ network: Network, _ configuration: Configuration, _ data: borrowing TrainingData, _ keeper: RunKeeper,
  _ resumes: Bool, _ console: Console, _ phases: Phases, over ranks: borrowing Communicator
) throws -> TrainingOutcome {
  var table = IterationTable()
  return try trainNetwork(
    network, configuration, data, console, phases, keeper: keeper, resumes: resumes, over: ranks
  ) { record in
    keeper.log(record)
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
