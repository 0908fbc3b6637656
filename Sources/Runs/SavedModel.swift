import Configuration
import Models
import Networks

extension Model {
  /// The model that a run saves: the weights to keep, and all that it takes to apply them to other samples.
  init(
    _ network: Network, _ outcome: borrowing TrainingOutcome, _ data: borrowing TrainingData,
    _ configuration: Configuration
  ) {
    self.init(
      network: network, W: outcome.W.copy(), standardization: data.standardization, meaning: data.meaning,
      featureNames: data.featureNames, columns: data.columns,
      provenance: Provenance(
        configurationSHA256: configuration.sha256, seed: configuration.training.seed,
        method: configuration.training.method, iteration: outcome.best?.iteration ?? outcome.last.iteration))
  }
}

extension TrainingData {
  /// What the outputs of a network that was trained on these data stand for.
  fileprivate var meaning: Model.Meaning {
    classNames.map { .classes($0) }
      ?? .target(mean: targetScale?.mean ?? 0, scale: targetScale?.scale ?? 1)
  }
}
