import ADMM
import Basics
import Configuration
import LinearAlgebra
import MPI
import Networks
import Optimizers
import Reports

/// A model of [baselines] that was trained.
final class TrainedBaseline {
  /// Its name in [baselines].
  let name: String
  /// A network that predicts as this model does.
  let network: Network
  let W: Layers<Matrix<Float>>
  /// The iterate that W is of, and how its training ended; nil for what takes no iterations.
  let record: IterationRecord?
  let status: RunStatus?

  init(
    _ name: String, _ network: Network, _ W: consuming Layers<Matrix<Float>>, _ record: IterationRecord?,
    _ status: RunStatus?
  ) {
    self.name = name
    self.network = network
    self.W = W
    self.record = record
    self.status = status
  }
}

/// Trains the models of [baselines] on the data of the run, one after the other. Collective.
///
/// Each has the seed of the run, keeps its best iterate as the run does, and goes on to its last iteration: [stop] is not for them.
func trainedBaselines(
  _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData, _ console: Console,
  over ranks: borrowing Communicator
) throws -> [TrainedBaseline] {
  var trainedOnes: [TrainedBaseline] = []
  for baseline in configuration.baselines.methods {
    console.progress("training the baseline \(baseline)")
    if let method = baseline.method {
      var own = configuration
      own.training.method = method
      own.training.iterations = configuration.baselines.iterations ?? configuration.training.iterations
      own.stop = Configuration.Stop()
      let outcome = try trained(own, network, data, console, Phases(), over: ranks) { _ in }
      trainedOnes.append(
        TrainedBaseline(
          baseline.rawValue, network, outcome.W.copy(), outcome.best ?? outcome.last, outcome.status))
    } else {
      let model = try advising(Configuration.dataAdvice) {
        try RandomFeatures.fit(
          network, seed: configuration.training.seed, a0: data.train.features.all, y: data.y.all,
          partition: data.train.partition, over: ranks)
      }
      trainedOnes.append(TrainedBaseline(baseline.rawValue, model.network, model.W.copy(), nil, nil))
    }
  }
  return trainedOnes
}
