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
/// Each has the seed of the run, keeps its best iterate as the run does, and goes on to its last iteration: [stop]
/// is not for them.
func trainBaselines(
  _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData, _ console: Console,
  over ranks: borrowing Communicator
) throws -> [TrainedBaseline] {
  var trained: [TrainedBaseline] = []
  for name in configuration.baselines.methods {
    console.progress("training the baseline \(name)")
    trained.append(
      name == BaselinesSection.randomFeatures
        ? try fitRandomFeatures(name, configuration, network, data, over: ranks)
        : try trainBaseline(name, configuration, network, data, console, over: ranks))
  }
  return trained
}

private func fitRandomFeatures(
  _ name: String, _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData,
  over ranks: borrowing Communicator
) throws -> TrainedBaseline {
  let model = try advising(NumericalError.dataAdvice) {
    try RandomFeatures.fit(network, data.samples, seed: configuration.training.seed, over: ranks)
  }
  return TrainedBaseline(name, model.network, model.W.copy(), nil, nil)
}

private func trainBaseline(
  _ method: String, _ configuration: Configuration, _ network: Network, _ data: borrowing TrainingData,
  _ console: Console, over ranks: borrowing Communicator
) throws -> TrainedBaseline {
  var own = configuration
  own.training.method = method
  own.training.iterations = configuration.baselines.iterations ?? configuration.training.iterations
  own.stop = StopSection()
  let outcome = try trainNetwork(network, own, data, console, Phases(), over: ranks) { _ in }
  return TrainedBaseline(
    method, network, outcome.W.copy(), outcome.best ?? outcome.last, outcome.status)
}
