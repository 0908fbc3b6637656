import Basics
import Configuration
import Files
import LinearAlgebra
import MPI
import Models
import Networks
import Reports
import Sums

/// Keeps on the disk what a run has reached, so that whatever ends it loses little: the log, the best model as soon as
/// it is known, how far the run is, and checkpoints.
package final class RunKeeper {
  /// What time and signals ask for.
  let clock: RunClock
  /// At which iterations the run went on from a checkpoint.
  private(set) var resumedAt: [Int] = []
  /// How many checkpoints this part of the run wrote.
  private(set) var checkpointCount = 0
  /// Seconds of this rank in them.
  private(set) var checkpointSeconds = 0.0
  /// Whether there is one from which the run can go on.
  private(set) var hasCheckpoint = false

  private let configuration: Configuration
  private let network: Network
  private let directory: RunDirectory
  private let checkpoints: Checkpoints
  private let console: Console
  private let phases: Phases
  /// What run.json says from the start.
  private let described: [JSON.Member]
  private let isRoot: Bool
  private var identity: RunIdentity?
  private var log: Log?
  /// How many lines the log has.
  private var lines = 0
  private var budget = SavingBudget()
  /// The iteration whose weights model.h5 holds.
  private var savedIteration: Int?

  init(
    _ configuration: Configuration, _ network: Network, _ directory: RunDirectory, _ clock: RunClock,
    _ console: Console, _ phases: Phases, described: [JSON.Member], isRoot: Bool
  ) {
    self.configuration = configuration
    self.network = network
    self.directory = directory
    checkpoints = Checkpoints(directory, keep: configuration.checkpoint.keep)
    self.clock = clock
    self.console = console
    self.phases = phases
    self.described = described
    self.isRoot = isRoot
  }

  /// Begins the run's files, or goes on with those of the part before. Collective.
  func begin(over ranks: borrowing Communicator) throws {
    if resumedAt.isEmpty { try directory.removeFormerRun(over: ranks) }
    try directory.write("config.toml", configuration.resolved, over: ranks)
    log = try directory.log(
      "iterations.jsonl", keeping: resumedAt.isEmpty ? nil : lines, over: ranks, warn: console.warn)
    if isRoot { try directory.pending("run.json").write(Array(progressText(nil, nil).utf8)) }
  }

  // MARK: What is reached

  /// Adds an evaluated iterate to the log. Local.
  func log(_ record: IterationRecord) {
    log?.append(record.json.compact)
    lines += 1
  }

  /// Writes what of the log could not be written before. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput` where lines are missing.
  func finishLog(over ranks: borrowing Communicator) throws { try log?.finish(over: ranks) }

  /// Saves the weights to keep where they are others than those that are saved, and how far the run is; both as often
  /// as a hundredth of the time allows. Local: rank 0 writes.
  func keep(_ outcome: borrowing TrainingOutcome, _ data: borrowing TrainingData) {
    guard isRoot && budget.isDue else { return }
    let outer = phases.begin(.save)
    defer { phases.begin(outer) }
    let iteration = outcome.best?.iteration ?? outcome.last.iteration
    do {
      try budget.spend {
        if savedIteration != iteration || !isReadable(directory.path(of: "model.h5")) {
          try Model(network, outcome, data, configuration).write(to: directory.pending("model.h5"))
          savedIteration = iteration
        }
        try directory.pending("run.json").write(Array(progressText(outcome.last, outcome.best).utf8))
      }
    } catch {
      warnOnce("what is learnt can't be saved: \(error) The run goes on, and what was saved before stays.")
    }
  }

  /// run.json of a run that goes on.
  private func progressText(_ last: IterationRecord?, _ best: IterationRecord?) -> String {
    let status: [JSON.Member] = [
      JSON.Member("status", .string(RunStatus.running.rawValue)),
      JSON.Member("iterations", .integer(last?.iteration ?? resumedAt.last ?? 0)),
    ]
    let reached = [("last", last), ("best", configuration.training.keepBest ? best : nil)].compactMap {
      key, record in
      record.map { JSON.Member(key, $0.json) }
    }
    return JSON.object(status + described + reached).document
  }

  private func warnOnce(_ text: String) {
    if !console.warnings.contains(text) { console.warn(text) }
  }

  // MARK: Checkpoints

  /// Whether a checkpoint is due after an iteration. Local; the same on every rank.
  func isCheckpointDue(after iteration: Int, _ notices: Notices) -> Bool {
    let every = configuration.checkpoint.everyIterations
    return (every > 0 && iteration % every == 0) || RunClock.isCheckpointDue(notices)
  }

  /// Writes a checkpoint; where that fails the run goes on, with a warning. Collective.
  func writeCheckpoint<Method: TrainingMethod & ~Copyable>(
    of method: inout Method, _ progress: inout TrainingProgress, _ data: borrowing TrainingData,
    over ranks: borrowing Communicator
  ) throws {
    let outer = phases.begin(.save)
    defer { phases.begin(outer) }
    let start = monotonicSeconds()
    let writer = CheckpointWriter()
    var identity = try identity(of: data, over: ranks)
    try identity.archive(writer)
    try archive(writer, &method, &progress, data)
    do {
      try checkpoints.write(
        writer, after: progress.iteration, samples: data.samples.partition.samples, range: data.samples.range,
        over: ranks)
      hasCheckpoint = true
      checkpointCount += 1
    } catch let failure as Failure where failure.isShared {
      warnOnce("there is no checkpoint after iteration \(progress.iteration): \(failure.message)")
    }
    let seconds = monotonicSeconds() - start
    checkpointSeconds += seconds
    clock.noteCheckpoint(seconds)
  }

  /// Goes on from the newest checkpoint that can be read; from the start where there is none. Collective.
  ///
  /// - Parameters:
  ///   - method: was just started.
  ///   - progress: before the first iteration.
  /// - Throws: a shared `Failure`: `badConfiguration` where the checkpoint is of another run, `badData` where none of
  ///   them can be read.
  func resume<Method: TrainingMethod & ~Copyable>(
    _ method: inout Method, _ progress: inout TrainingProgress, _ data: borrowing TrainingData,
    over ranks: borrowing Communicator
  ) throws {
    let found = try checkpoints.iterations(over: ranks)
    for iteration in found {
      let path = checkpoints.path(iteration)
      let file: CheckpointFile
      do { file = try CheckpointFile(path, range: data.samples.range, over: ranks) } catch let failure
        as Failure
        where failure.isShared
      {
        console.warn("\(failure.message) The checkpoint before it is taken.")
        continue
      }
      var theirs = RunIdentity(network, DataFingerprint(sets: []), configuration)
      try ranks.agree { try theirs.archive(file) }
      try identity(of: data, over: ranks).check(theirs, method: configuration.training.method, path: path)
      try ranks.agree { try archive(file, &method, &progress, data) }
      resumedAt.append(progress.iteration)
      hasCheckpoint = true
      console.print("goes on after iteration \(progress.iteration), from \(path)")
      return
    }
    guard found.isEmpty else {
      throw Failure(
        .badData,
        "none of the checkpoints in \(directory.path(of: Checkpoints.directory)) can be read. Remove them to begin "
          + "anew.", isShared: true)
    }
    console.print("there is no checkpoint to go on from: the run begins")
  }

  /// All that the rest of the run depends on: the one list that is written and read. Collective.
  private func archive<Method: TrainingMethod & ~Copyable>(
    _ state: any StateArchive, _ method: inout Method, _ progress: inout TrainingProgress,
    _ data: borrowing TrainingData
  ) throws {
    try state.within("run") {
      try progress.archive(state, phases, clocks: method.seconds)
      try state("log_lines", &lines)
      try state.list("resumed_at", &resumedAt, count: nil)
      var warnings = console.warnings
      try state("warnings", &warnings)
      if state.isReading { console.adopt(warnings: warnings) }
      try state("events", &method.events)
    }
    try state.within("method") { try method.archive(state, data.samples) }
  }

  private func identity(
    of data: borrowing TrainingData, over ranks: borrowing Communicator
  ) throws -> RunIdentity {
    if let identity { return identity }
    let new = RunIdentity(network, try DataFingerprint(data, over: ranks), configuration)
    identity = new
    return new
  }
}
