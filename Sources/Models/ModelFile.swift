import Basics
import Datasets
import Files
import HDF5
import LinearAlgebra
import MPI
import Networks

/// What model.h5 holds, for this program and for others that read it: a sealed HDF5 file.
///
/// Attributes of the file: `format`, `format_version`, `program_version`, `config_sha256`, `seed`, `method`,
/// `iteration`, `activation`, `loss`, `bias` (0 or 1), `has_column_names` (0 or 1); `label_name` and `label_column`,
/// from 1, as far as they are known; for a regression `target_mean` and `target_scale`. Arrays: `widths` [L + 1];
/// `W1` … `WL`, `Wl` being [d_l, d_{l−1} + 1] with the bias in the last column; `feature_names` [d_0]; `mean` and
/// `scale` [d_0] where features were standardised; `class_names` for a classification.
private enum Layout {
  static let format = "admm-mpi model"
  /// 1 had no seal, and did not say where the labels were.
  static let version = 2
}

extension Model {
  /// Has rank 0 write the model, whole or not at all. Collective.
  ///
  /// - Throws: a shared `Failure` of status `inputOutput`; what was there stays.
  public func write(to path: String, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot else { return }
      do { try write(to: PendingFile(path)) } catch {
        throw Failure(.inputOutput, "The model can't be written. \(error)")
      }
    }
  }

  /// Writes the model, whole or not at all. Local: for one rank.
  package func write(to output: PendingFile) throws {
    let file = try HDF5File(creating: output)
    try file.setAttribute("format", Layout.format)
    try file.setAttribute("format_version", Layout.version)
    try file.setAttribute("program_version", provenance.program)
    try file.setAttribute("config_sha256", provenance.configurationSHA256)
    try file.setAttribute("seed", provenance.seed)
    try file.setAttribute("method", provenance.method)
    try file.setAttribute("iteration", provenance.iteration)

    try file.setAttribute("activation", network.activation.rawValue)
    try file.setAttribute("loss", network.loss.rawValue)
    try file.setAttribute("bias", Int32(network.bias ? 1 : 0))
    try file.write(network.widths, to: "widths")
    for l in 1...network.L {
      try file.write(W[l].rowMajor, to: "W\(l)", shape: [W[l].rows, W[l].columns])
    }
    try file.write(featureNames, to: "feature_names")
    try file.setAttribute("has_column_names", Int32(columns.features == nil ? 0 : 1))
    if let label = columns.label {
      if let name = label.name { try file.setAttribute("label_name", name) }
      try file.setAttribute("label_column", label.number)
    }
    if let standardization {
      try file.write(standardization.mean, to: "mean")
      try file.write(standardization.scale, to: "scale")
    }
    switch meaning {
    case .classes(let names): try file.write(names, to: "class_names")
    case .target(let mean, let scale):
      try file.setAttribute("target_mean", mean)
      try file.setAttribute("target_scale", scale)
    }
    try file.close()
  }

  /// Reads a model: rank 0 the file, which all get. Collective.
  ///
  /// - Throws: a shared `Failure` where the file is missing, damaged, no model, of another version, or contradicts
  ///   itself.
  public init(reading path: String, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    try ranks.agree { if isRoot { try checkKind(path) } }
    let file = try HDF5File(broadcasting: path, over: ranks)
    let isSealed = file.isSealed
    let reader = ModelReader(file)
    try reader.checkFormat()
    let network = try reader.network()
    let W = try Layers<Matrix<Float>>(1..<network.L + 1) { l in
      try reader.matrix("W\(l)", rows: network.widths[l], columns: network.widths[l - 1] + 1)
    }
    self.init(
      network: network, W: W, standardization: try reader.standardization(network.widths[0]),
      meaning: try reader.meaning(network),
      featureNames: try reader.names("feature_names", network.widths[0]),
      columns: try reader.columns(network.widths[0]), provenance: try reader.provenance(),
      isSealed: isSealed)
  }
}

/// Makes sure that a file is an HDF5 file, and else says what it is. Local.
private func checkKind(_ path: String) throws {
  let head = try InputFile(path).bytes(1024)
  guard !isSealed(head) && !hasHDF5Signature(head) else { return }
  let kind =
    switch head.first(where: { $0 > UInt8(ascii: " ") }) {
    case _ where head.isEmpty: "an empty file"
    // Text has no control characters before the tab.
    case _ where head.contains(where: { $0 < 9 }): "something else"
    case UInt8(ascii: "{"): "JSON text"
    case UInt8(ascii: "["): "a text, such as a configuration"
    default: "a text, such as a table or a configuration"
    }
  throw Failure(.badData, "\(path) is not a model but \(kind). Name the model.h5 that a run leaves.")
}

/// Reads the parts of a model and refuses what does not fit. Every rank has the same file, so all meet the same.
private struct ModelReader: ~Copyable {
  private let file: HDF5File

  init(_ file: consuming HDF5File) { self.file = file }

  func checkFormat() throws {
    guard try file.attribute("format") == Layout.format else {
      throw refusal("is an HDF5 file, but not a model of this program.")
    }
    let version = try file.attribute("format_version", as: Int.self) ?? 0
    guard (1...Layout.version).contains(version) else {
      let writer = try file.attribute("program_version") ?? "an unknown version"
      throw refusal(
        "has format version \(version), written by admm-mpi \(writer); this program reads versions 1 to "
          + "\(Layout.version). Use that program, or train again.")
    }
    guard file.isSealed || version == 1 else {
      throw refusal("has lost the checksum that it was written with. Copy it again, or train again.")
    }
  }

  func network() throws -> Network {
    let widths = try widths()
    let activation = try text("activation")
    let loss = try text("loss")
    guard let activation = Activation(rawValue: activation), let loss = Loss(rawValue: loss) else {
      throw refusal("has the activation \"\(activation)\" and the loss \"\(loss)\", of which one is unknown.")
    }
    return Network(
      widths: widths, activation: activation, loss: loss, bias: try number("bias", as: Int.self) != 0)
  }

  /// d_0 … d_L, whose weights the file has room for.
  private func widths() throws -> [Int] {
    let array = try file.array("widths")
    guard array.elements == .integer, array.shape.count == 1, array.shape[0] <= 1_000 else {
      throw refusal("has no list of whole numbers for its widths.")
    }
    let widths: [Int] = try array.values()
    guard widths.count >= 2, widths.allSatisfy({ $0 > 0 }) else { throw refusal("has the widths \(widths).") }
    // It can't hold more numbers than it is long.
    var rest = file.size / MemoryLayout<Float>.size
    for (inputs, outputs) in zip(widths, widths.dropFirst()) {
      let (weights, isTooMany) = outputs.multipliedReportingOverflow(by: inputs)
      guard !isTooMany && weights <= rest && outputs <= rest - weights else {
        throw refusal("has the widths \(widths), more weights than its \(file.size) bytes can hold.")
      }
      rest -= weights + outputs
    }
    return widths
  }

  /// A matrix of finite numbers, stored row by row.
  func matrix(_ name: String, rows: Int, columns: Int) throws -> Matrix<Float> {
    let array = try file.array(name)
    guard array.shape == [rows, columns] else {
      let found = array.shape.map(String.init).joined(separator: " × ")
      throw refusal(
        "has a \(name) of \(found.isEmpty ? "one number" : found); its widths need \(rows) × \(columns).")
    }
    let values: [Float] = try array.values()
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else {
      var matrix = Matrix<Float>(rows: rows, columns: columns)
      for i in 0..<rows {
        for j in 0..<columns { matrix[i, j] = values[i * columns + j] }
      }
      return matrix
    }
    throw refusal(
      "has the number \(values[bad]) in row \(bad / columns + 1), column \(bad % columns + 1) of \(name).")
  }

  func standardization(_ features: Int) throws -> Standardization? {
    guard try file.contains("mean") || file.contains("scale") else { return nil }
    let mean = try file.array("mean")
    let scale = try file.array("scale")
    if mean.shape == [features] && scale.shape == [features] {
      let (means, scales) = (try mean.values(as: Float.self), try scale.values(as: Float.self))
      if means.allSatisfy(\.isFinite) && scales.allSatisfy({ $0.isFinite && $0 > 0 }) {
        return Standardization(mean: means, scale: scales)
      }
    }
    throw refusal("has a mean and a scale that are not \(features) finite numbers each, the scale positive.")
  }

  func meaning(_ network: Network) throws -> Model.Meaning {
    let outputs = network.widths[network.L]
    guard try file.contains("class_names") else {
      let (mean, scale) = (
        try number("target_mean", as: Float.self), try number("target_scale", as: Float.self)
      )
      guard outputs == 1, mean.isFinite, scale.isFinite, scale > 0 else {
        throw refusal("has \(outputs) outputs for a target of mean \(mean) and scale \(scale).")
      }
      return .target(mean: mean, scale: scale)
    }
    let names = try file.array("class_names")
    guard names.shape == [outputs == 1 ? 2 : outputs] else {
      throw refusal("has \(outputs) outputs for \(names.shape.first ?? 1) classes.")
    }
    return .classes(try names.strings())
  }

  func names(_ name: String, _ count: Int) throws -> [String] {
    let names = try file.array(name)
    guard names.shape == [count] else {
      throw refusal("has \(names.shape.first ?? 1) \(name) for \(count) features.")
    }
    return try names.strings()
  }

  /// What the training set's file called its columns. Format 1 does not tell its own names from ours.
  func columns(_ features: Int) throws -> ColumnNames {
    let names = try names("feature_names", features)
    let hasNames = try file.attribute("has_column_names", as: Int32.self).map { $0 != 0 }
    let number = try file.attribute("label_column", as: Int.self)
    let label = try file.attribute("label_name")
    return ColumnNames(
      features: hasNames ?? (names != numberedNames(features)) ? names : nil,
      label: number.map { LabelPlace(name: label, number: $0) })
  }

  func provenance() throws -> Model.Provenance {
    Model.Provenance(
      program: try text("program_version"), configurationSHA256: try text("config_sha256"),
      seed: try number("seed", as: UInt64.self), method: try text("method"),
      iteration: try number("iteration", as: Int.self))
  }

  private func text(_ name: String) throws -> String {
    guard let text = try file.attribute(name) else { throw refusal("has no attribute \"\(name)\".") }
    return text
  }

  private func number<T: Number>(_ name: String, as: T.Type) throws -> T {
    guard let number = try file.attribute(name, as: T.self) else {
      throw refusal("has no attribute \"\(name)\".")
    }
    return number
  }

  private func refusal(_ fault: String) -> Failure {
    Failure(.badData, "The model \(file.path) \(fault)", isShared: true)
  }
}
