import Configuration
import Datasets
import LinearAlgebra
import MPI
import Models

extension Model {
  /// How the samples in a file are to be read for this model. Collective.
  ///
  /// The task, and which class stands against all others, follow from the model; the file's layout from the options.
  func data(_ settings: [DataSetting], over ranks: borrowing Communicator) throws -> DataSection {
    var configuration = Configuration()
    switch meaning {
    case .target: configuration.data.task = .regression
    case .classes(let names):
      let hasSelection = settings.contains { $0.key == "classes" || $0.key == "positive_class" }
      if !hasSelection, names.count == 2, names[0] == "not \(names[1])" {
        configuration.data.positiveClass = names[1]
      }
    }
    try configuration.replace(settings, over: ranks)
    return configuration.data
  }

  /// The network's outputs z_L, d_L × n, for this rank's samples, after the standardisation of the training set.
  /// Local.
  ///
  /// - Parameter dataset: its features are standardised in place.
  func scores(_ dataset: inout Dataset) -> Matrix<Float> {
    standardization?.apply(to: &dataset)
    return Scoring.scores(network, W, dataset.features.all)
  }

  /// "28-300-1, relu, hinge", and where it comes from.
  var summary: String {
    "\(network.widths.map(String.init).joined(separator: "-")), "
      + "\(network.activation.rawValue), \(network.loss.rawValue), "
      + "\(provenance.method), iteration \(provenance.iteration)"
  }
}
