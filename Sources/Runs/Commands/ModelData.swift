import Basics
import Configuration
import Datasets
import LinearAlgebra
import MPI
import Models
import Reports

extension Model {
  /// Reads a model, and warns of one that has no checksum. Collective.
  static func read(_ path: String, _ console: Console, over ranks: borrowing Communicator) throws -> Model {
    let model = try Model(reading: path, over: ranks)
    if !model.isSealed {
      console.warn(
        "\(path) is of an older version and has no checksum, by which damage would be seen. Train again to get one."
      )
    }
    return model
  }

  /// A data set for this model: where its labels are is as it was in training, unless an option says more, and its
  /// features come in the model's order. Collective.
  ///
  /// - Parameter needsLabels: otherwise labels are only kept apart from the features.
  /// - Throws: a shared `Failure` where the file can't be read, or has other columns than the model.
  func samples(
    _ source: Source, _ data: DataSection, _ settings: [DataSetting], needsLabels: Bool, modelPath: String,
    _ console: Console, over ranks: borrowing Communicator
  ) throws -> Dataset {
    var source = source
    let isTold = settings.contains { $0.key == "label_column" }
    if !isTold || !needsLabels {
      let unlabelled = source.withoutLabels
      let head = try preview(unlabelled, over: ranks)
      if !isTold {
        try setLabelColumn(
          of: &source, among: head.tableColumns, needsLabels: needsLabels, modelPath: modelPath)
      }
      // A table of as many columns as the model has features is one without labels. Other files need not have any.
      if head.isTable ? head.features == network.widths[0] : !needsLabels { source = unlabelled }
    }
    var dataset = try readDataset(
      source, task: needsLabels ? data.task : .classification, classes: needsLabels ? classNames : nil,
      selection: needsLabels ? data.selection : .ignored, over: ranks
    ) { console.progress("reading \(source.path)", $0) }
    try dataset.arrange(as: columns.features, source.path, likeThatOf: modelPath)
    try checkFeatures(dataset.featureCount, of: source.path, modelPath: modelPath)
    return dataset
  }

  /// Finds the labels by their column's name where both have names, else by its number.
  ///
  /// - Parameter names: of all columns of the table, if it has any.
  private func setLabelColumn(
    of source: inout Source, among names: [String]?, needsLabels: Bool, modelPath: String
  ) throws {
    func set(_ column: CSVFormat.LabelColumn) { source.options[CSVFormat.self].labelColumn = column }
    if let names, let name = columns.label?.name {
      if names.contains(name) { return set(.name(name)) }
      guard needsLabels else { return set(.none) }
      throw Failure(
        .badData,
        "\(source.path) has no column \(quoted(name)), which held the labels that \(modelPath) was trained on. "
          + "Name another by --label-column.", isShared: true)
    }
    if let names, let own = columns.features {
      let others = names.filter { !own.contains($0) }
      if others.isEmpty { return set(.none) }
      if others.count == 1 { return set(.name(others[0])) }
    }
    if let number = columns.label?.number { set(.number(number)) }
  }

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
