import ADMM
import Configuration
import Datasets
import Files
import HDF5
import LinearAlgebra
import MPI
import Models
import Networks
import Optimizers
import Reports

/// What the console says before a run trains.
func banner(
  _ launch: Launch, _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData,
  _ memory: Spread, _ directory: RunDirectory
) -> Banner {
  var lines = data.rows(configuration)
  let training = configuration.training
  if training.method == .taylor && configuration.taylor.multiplier != .all {
    lines.append(("tile", tileText(network, storage: configuration.taylor.activations)))
  }
  return Banner(
    launch, data: lines, widths: network.widths,
    traits: [network.activation.rawValue, network.loss.rawValue, network.bias ? "bias" : "no bias"],
    parameters: network.parameterCount,
    method: "\(training.method), \(configuration.variant), "
      + "\(counted(training.iterations, "iteration")), seed \(training.seed)",
    memory: memory, directory: directory.path)
}

extension TrainingData {
  /// What the console says of the data before it trains: a row a set, the classes and the chunks.
  package func rows(_ configuration: Configuration) -> [(name: String, text: String)] {
    let sets = sampleCounts
    var rows = [(name: "train", text: "\(configuration.data.trainOrigin), \(counted(sets.train, "sample"))")]
    if let count = sets.validation {
      rows.append(("validation", "\(counted(count, "sample")) of the training set"))
    }
    if let count = sets.test {
      rows.append(("test", "\(configuration.data.testOrigin), \(counted(count, "sample"))"))
    }
    if let names = classNames {
      let shown = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
      rows.append(("classes", "\(names.count): \(shown)"))
    }
    let chunks = train.partition
    rows.append(("chunks", "\(grouped(chunks.chunks)) of \(counted(chunks.chunk, "sample"))"))
    return rows
  }

  /// How many samples each set has, on all ranks together; nil where there are none.
  package var sampleCounts: (train: Int, validation: Int?, test: Int?) {
    func count(_ dataset: borrowing Dataset) -> Int? {
      dataset.partition.samples > 0 ? dataset.partition.samples : nil
    }
    return (train.partition.samples, count(validation), count(test))
  }
}

/// How an iteration goes through a rank's samples, such as "80 samples; activations of layer 1 stored, of layer 2 recomputed".
func tileText(_ network: Network, storage: ActivationStorage) -> String {
  let isStored = storage.isStored(network)
  let layers = (1..<network.L).map { "of layer \($0) \(isStored[$0] ? "stored" : "recomputed")" }
  return counted(Taylor.tileColumns(network), "sample")
    + (layers.isEmpty ? "" : "; activations \(layers.joined(separator: ", "))")
}

/// The network and the data, for run.json.
func problem(_ network: Network, _ data: borrowing TrainingData) -> RunSummary.Problem {
  RunSummary.Problem(
    layers: network.widths, parameters: network.parameterCount, samples: data.sampleCounts)
}

/// The bytes that this rank's arrays take in training. Local.
func predictedBytes(
  _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData
) -> Int {
  let trained = data.train.range.count
  let samples = trained + data.validation.range.count + data.test.range.count
  return MemoryLayout<Float>.size * (network.widths[0] + 1) * samples
    + configuration.stateBytes(network, samples: trained)
}

extension Configuration {
  /// Which kind of its method, such as "preset robust".
  package var variant: String {
    func steps(_ common: MiniBatchSettings) -> String {
      "rate \(common.rate) (\(common.schedule)), steps of \(counted(common.block, "sample")) or more, L2 \(common.l2)"
    }
    return switch training.method {
    case .taylor: "preset \(taylor.preset)"
    case .accelerated: "form \(accelerated.form)"
    case .sgd: "\(sgd.nesterov ? "Nesterov momentum" : "momentum") \(sgd.momentum), \(steps(sgd.common))"
    case .adam: steps(adam.common)
    case .cg: "Polak-Ribière+, L2 \(cg.l2)"
    case .lbfgs: "\(counted(lbfgs.pairs, "pair")), L2 \(lbfgs.l2)"
    }
  }

  /// The bytes that training takes on a rank with so many samples, beside the data: those of the method and of the baselines, one at a
  /// time, that take the most.
  func stateBytes(_ network: Networks.Network, samples: Int) -> Int {
    let methods = [training.method] + baselines.methods.compactMap(\.method)
    return methods.reduce(0) { max($0, stateBytes($1, network, samples: samples)) }
  }

  private func stateBytes(_ method: Method, _ network: Networks.Network, samples: Int) -> Int {
    let threads = training.threadsPerRank
    func miniBatch(_ rule: UpdateRule) -> Int {
      MiniBatch.stateBytes(network, rule, samples: samples, threads: threads)
    }
    func fullBatch(_ method: SearchDirection) -> Int {
      FullBatch.stateBytes(network, method, samples: samples, threads: threads)
    }
    return switch method {
    case .taylor where taylor.multiplier == .all:
      ConsistentTaylor.stateBytes(network, samples: samples, threads: threads)
    case .taylor:
      network.stateBytes(samples: samples, storage: taylor.activations)
        + network.systemBytes(threads: threads)
    case .accelerated:
      Optimizers.Accelerated.stateBytes(network, accelerated, samples: samples, threads: threads)
    case .sgd: miniBatch(.sgd(sgd))
    case .adam: miniBatch(.adam(adam))
    case .cg: fullBatch(.conjugate(cg))
    case .lbfgs: fullBatch(.lbfgs(lbfgs))
    }
  }

  /// The model that a run saves.
  func model(
    _ network: Networks.Network, _ outcome: borrowing TrainingOutcome, _ data: borrowing TrainingData
  ) -> Model {
    let meaning: Model.Meaning =
      data.classNames.map { .classes($0) }
      ?? .target(mean: data.targetScale?.mean ?? 0, scale: data.targetScale?.scale ?? 1)
    return Model(
      network: network, W: outcome.W.copy(), standardization: data.standardization, meaning: meaning,
      featureNames: data.train.featureNames,
      provenance: Model.Provenance(
        configurationSHA256: sha256, seed: training.seed, method: training.method.rawValue,
        iteration: outcome.best?.iteration ?? outcome.last.iteration))
  }
}

extension RunSummary {
  /// The phases, the speed, where the results lie, and the status: the end of a run's output.
  func closingLines(_ directory: RunDirectory) -> [String] {
    [""] + phases.lines(hosts: launch.machine.hostOfRank) + [""]
      + (outcome.iterations > 0 ? [speedLine, phaseLine] : []) + [
        "memory: \(memory.text)",
        "results: \(directory.path) (\(RunDirectory.files.joined(separator: ", ")))",
        "status: \(outcome.status.rawValue) after \(counted(outcome.iterations, "iteration"))",
      ]
  }

  private var speedLine: String {
    let speed = "\(duration(secondsPerIteration)) an iteration, \(fixed(gflopsPerRank, 1)) GFLOP/s a rank"
    guard let peak = cost.sgemmGflopsPerRank else { return speed }
    return speed + ", \(percent(gflopsPerRank / peak, 0)) % of sgemm's \(fixed(peak, 1))"
  }

  /// "of which update 158 ms (221.3 GFLOP/s, 91 %), sum …".
  private var phaseLine: String {
    let parts = [Phase.update, .sum, .solve, .reduce].map { phase in
      let time = "\(phase.name) \(duration(phases[phase].mean / Double(outcome.iterations)))"
      guard let speed = gflopsPerRank(phase), speed.isFinite else { return time }
      let share = cost.sgemmGflopsPerRank.map { ", \(percent(speed / $0, 0)) %" } ?? ""
      return time + " (\(fixed(speed, 1)) GFLOP/s\(share))"
    }
    return "of which " + parts.joined(separator: ", ")
  }
}
