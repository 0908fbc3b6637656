import Basics
import Configuration
import Networks
import Reports

/// How a run came to its end.
public enum RunStatus: String, Sendable, CaseIterable {
  /// It has not come to its end, or ended without a chance to say so.
  case running
  case target_reached
  case max_iterations
  /// The objective hardly changes any more (`stop.tolerance`), or no step lowers it.
  case converged
  /// `stop.patience` has run out.
  case no_improvement
  /// `stop.time_limit` came near.
  case time_limit
  /// A signal asked it to stop.
  case interrupted
  case diverged

  /// Whether the run was cut short and is to be started again.
  var isEarly: Bool { self == .time_limit || self == .interrupted }
}

/// Everything worth keeping of a run: run.json.
public struct RunSummary: Sendable {
  /// How the run ended.
  public struct Outcome: Sendable {
    public var status: RunStatus
    public var exitStatus: ExitStatus
    public var iterations: Int

    public init(_ status: RunStatus, exitStatus: ExitStatus = .done, iterations: Int) {
      self.status = status
      self.exitStatus = exitStatus
      self.iterations = iterations
    }
  }

  /// What the run was told.
  public struct Settings: Sendable {
    public var seed: UInt64
    /// The resolved configuration, whole.
    public var config: JSON
    public var sha256: String

    public init(_ configuration: Configuration) {
      seed = configuration.training.seed
      config = configuration.json
      sha256 = configuration.sha256
    }
  }

  /// What was trained, on what.
  public struct Problem: Sendable {
    /// d_0 … d_L.
    public var layers: [Int]
    public var parameters: Int
    /// How many samples each set has.
    public var samples: (train: Int, validation: Int?, test: Int?)

    public init(layers: [Int], parameters: Int, samples: (train: Int, validation: Int?, test: Int?)) {
      self.layers = layers
      self.parameters = parameters
      self.samples = samples
    }
  }

  /// What came out.
  public struct Results: Sendable {
    /// The last iterate: objective, train_accuracy, test_accuracy, test_auc and so on.
    public var final: JSON
    /// The best iterate and its number, where one was kept.
    public var best: JSON?
    /// By name: majority, linear.
    public var baselines: JSON
    public var weightsSHA256: String

    public init(final: JSON, best: JSON? = nil, baselines: JSON, weightsSHA256: String) {
      self.final = final
      self.best = best
      self.baselines = baselines
      self.weightsSHA256 = weightsSHA256
    }
  }

  /// What an iteration costs.
  public struct Cost: Sendable {
    /// Useful floating-point operations of all ranks together.
    public var flopsPerIteration: Double
    /// Those of them that are sums; the others are updates.
    public var sumFlopsPerIteration: Double
    /// What a rank's matrix products alone reach on one thread, times its threads, in 10⁹ operations a second.
    public var sgemmGflopsPerRank: Double?
    /// Of each rank.
    public var bytesReducedPerIteration: Int
    public var reductionsPerIteration: Int

    /// The mean over so many iterations.
    public init(_ work: SweepWork, iterations: Int, sgemmGflopsPerRank: Double?) {
      let count = max(iterations, 1)
      self.init(
        flopsPerIteration: work.flops / Double(count), sumFlopsPerIteration: work.sumFlops / Double(count),
        sgemmGflopsPerRank: sgemmGflopsPerRank, bytesReducedPerIteration: work.bytes / count,
        reductionsPerIteration: work.reductions / count)
    }

    public init(
      flopsPerIteration: Double, sumFlopsPerIteration: Double, sgemmGflopsPerRank: Double? = nil,
      bytesReducedPerIteration: Int,
      reductionsPerIteration: Int
    ) {
      self.flopsPerIteration = flopsPerIteration
      self.sumFlopsPerIteration = sumFlopsPerIteration
      self.sgemmGflopsPerRank = sgemmGflopsPerRank
      self.bytesReducedPerIteration = bytesReducedPerIteration
      self.reductionsPerIteration = reductionsPerIteration
    }
  }

  public var outcome: Outcome
  public var launch: Launch
  public var settings: Settings
  public var problem: Problem
  public var results: Results
  public var cost: Cost
  public var phases: PhaseReport
  public var memory: PeakMemory
  /// What the console warned of.
  public var warnings: [String]
  /// After which iterations the run went on from a checkpoint.
  public var resumedAt: [Int] = []
  /// How many checkpoints its last part wrote, and the seconds that they took.
  public var checkpoints: (count: Int, seconds: Double) = (0, 0)

  public init(
    _ outcome: Outcome, launch: Launch, settings: Settings, problem: Problem, results: Results, cost: Cost,
    phases: PhaseReport, memory: PeakMemory, warnings: [String] = []
  ) {
    self.outcome = outcome
    self.launch = launch
    self.settings = settings
    self.problem = problem
    self.results = results
    self.cost = cost
    self.phases = phases
    self.memory = memory
    self.warnings = warnings
  }

  /// Seconds of one iteration, without the start and the evaluations; NaN if there was none.
  public var secondsPerIteration: Double {
    outcome.iterations > 0 ? phases.iterating / Double(outcome.iterations) : .nan
  }

  /// Useful operations a second of the iterations, in 10⁹, for each rank.
  public var gflopsPerRank: Double {
    1e-9 * cost.flopsPerIteration / secondsPerIteration / Double(launch.machine.ranks)
  }

  /// The same of a phase of the iterations by itself, for the phases that have useful operations.
  public func gflopsPerRank(_ phase: Phase) -> Double? {
    let flops: Double
    switch phase {
    case .update: flops = cost.flopsPerIteration - cost.sumFlopsPerIteration
    case .sum: flops = cost.sumFlopsPerIteration
    default: return nil
    }
    return 1e-9 * flops * Double(outcome.iterations) / phases[phase].mean / Double(launch.machine.ranks)
  }

  /// How a run was started, with what, on what: what run.json says from the start.
  static func described(
    _ launch: Launch, _ settings: Settings, _ problem: Problem, warnings: [String], resumedAt: [Int] = []
  ) -> [JSON.Member] {
    JSON.object([
      "start": .string(launch.start),
      "command": .string(launch.command),
      "slurm_job_id": launch.slurmJob.map { .string($0) },
      "ranks": .integer(launch.machine.ranks),
      "threads_per_rank": .integer(launch.machine.threads),
      "hosts": launch.machine.hostsJSON,
      "resumed_at": resumedAt.isEmpty ? nil : .array(resumedAt.map { .integer($0) }),
      "warnings": .array(warnings.map { .string($0) }),
      "versions": launch.versions.json,
      "seed": .verbatim(String(settings.seed)),
      "config": settings.config,
      "config_sha256": .string(settings.sha256),
      "layers": .array(problem.layers.map { .integer($0) }),
      "parameters": .integer(problem.parameters),
      "samples": .object([
        "train": .integer(problem.samples.train),
        "validation": problem.samples.validation.map { .integer($0) },
        "test": problem.samples.test.map { .integer($0) },
      ]),
    ]).members
  }

  /// What run.json holds.
  public var json: JSON {
    let end = JSON.object([
      "status": .string(outcome.status.rawValue),
      "exit_status": .integer(Int(outcome.exitStatus.rawValue)),
      "iterations": .integer(outcome.iterations),
    ])
    let reached = JSON.object([
      "final": results.final,
      "best": results.best,
      "baselines": results.baselines,
      "weights_sha256": .string(results.weightsSHA256),
      "seconds": .object([
        "load": .number(phases[.load].mean), "baseline": .number(phases[.baseline].mean),
        "train": .number(phases[.start].mean + phases.iterating),
        "evaluate": .number(phases[.evaluate].mean), "save": .number(phases[.save].mean),
        "total": .number(phases.total.mean), "per_iteration": .number(secondsPerIteration),
      ]),
      "phases": phases.json,
      "flops_per_iteration": .number(cost.flopsPerIteration),
      "gflops_per_rank": .number(gflopsPerRank),
      "gflops_per_rank_by_phase": .object([
        "update": gflopsPerRank(.update).map { .number($0) }, "sum": gflopsPerRank(.sum).map { .number($0) },
      ]),
      "sgemm_gflops_per_rank": cost.sgemmGflopsPerRank.map { .number($0) },
      "bytes_reduced_per_iteration": .integer(cost.bytesReducedPerIteration),
      "reductions_per_iteration": .integer(cost.reductionsPerIteration),
      "checkpoints": checkpoints.count > 0
        ? .object(["written": .integer(checkpoints.count), "seconds": .number(checkpoints.seconds)]) : nil,
      "peak_rss_bytes": .object(["max": .integer(memory.max), "sum": .integer(memory.sum)]),
    ])
    let described = Self.described(launch, settings, problem, warnings: warnings, resumedAt: resumedAt)
    return .object(end.members + described + reached.members)
  }
}

extension RunSummary.Outcome {
  /// How a run of training ended, and whether all of its results were written.
  ///
  /// - Parameter hasCheckpoint: whether it can go on.
  init(_ outcome: borrowing TrainingOutcome, hasCheckpoint: Bool, _ losses: Losses) {
    let early: ExitStatus = hasCheckpoint ? .stoppedEarly : .inputOutput
    let status: ExitStatus =
      outcome.status == .diverged ? .numericalFailure : outcome.status.isEarly ? early : .done
    self.init(
      outcome.status, exitStatus: losses.status ?? status,
      iterations: outcome.iterations)
  }
}

extension RunSummary.Problem {
  /// A network and the data that it is trained on.
  init(_ network: Network, _ data: borrowing TrainingData) {
    self.init(layers: network.widths, parameters: network.parameterCount, samples: data.sampleCounts)
  }
}

extension RunSummary.Results {
  /// What a run reached, and the fingerprint of the model that it saved.
  init(_ results: TrainingResults, weightsSHA256: String) {
    self.init(
      final: results.final, best: results.best, baselines: results.baselines, weightsSHA256: weightsSHA256)
  }
}

extension Configuration {
  /// All keys that are set, by section.
  public var json: JSON {
    let settings = settings
    return .object(
      Self.sections.map { section in
        let keys = settings.filter { $0.section == section }
        return JSON.Member(
          section, .object(keys.compactMap { key in key.value.map { JSON.Member(key.name, .verbatim($0)) } }))
      })
  }
}
