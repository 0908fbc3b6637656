import Basics
import LinearAlgebra

/// What a file calls its columns.
public struct ColumnNames: Sendable, Equatable {
  /// d names; nil where the file has none, so that x1, x2, … are ours.
  public var features: [String]?
  /// Where the labels are; nil where that is no column, or there are no labels.
  public var label: LabelPlace?

  public init(features: [String]? = nil, label: LabelPlace? = nil) {
    (self.features, self.label) = (features, label)
  }
}

/// A table's column of labels.
public struct LabelPlace: Sendable, Equatable {
  /// nil where columns have no names.
  public var name: String?
  /// From 1.
  public var number: Int

  public init(name: String? = nil, number: Int) { (self.name, self.number) = (name, number) }
}

extension CSVLayout {
  /// What the header says.
  var names: ColumnNames {
    ColumnNames(
      features: hasHeader ? featureNames : nil,
      label: label.map { LabelPlace(name: hasHeader ? columnNames[$0] : nil, number: $0 + 1) })
  }
}

extension Dataset {
  /// Puts the features in the order of another data set's, by their names, where both have names. Local; the same
  /// outcome on every rank.
  ///
  /// - Parameters:
  ///   - names: the others' names; nil where they have none.
  ///   - path: this data set's file.
  ///   - owner: what has the other order, for messages: "model.h5", "the training set".
  /// - Throws: a shared `Failure` of status `badData` that names the first column that only one of them has.
  public mutating func arrange(as names: [String]?, _ path: String, likeThatOf owner: String) throws {
    guard let names, let own = columns.features, own != names else { return }
    func refuse(_ what: String, _ advice: String) -> Failure {
      Failure(.badData, "\(path) \(what). \(advice)", isShared: true)
    }
    if let absent = names.first(where: { !own.contains($0) }) {
      let shown = own.prefix(20).joined(separator: ", ") + (own.count > 20 ? ", …" : "")
      throw refuse(
        "has no column \"\(absent)\", which \(owner) has; its features are \(shown)",
        "Rename its columns, or add this one.")
    }
    if let extra = own.first(where: { !names.contains($0) }) {
      throw refuse("has the column \"\(extra)\", which \(owner) does not have", "Remove it, or rename it.")
    }
    guard Set(own).count == own.count && names.count == own.count else {
      let twice = own.first { name in own.count { $0 == name } > 1 } ?? ""
      throw refuse(
        "has columns in another order than \(owner), and several are called \"\(twice)\"", "Rename them.")
    }
    let places = Dictionary(uniqueKeysWithValues: zip(own, own.indices))
    reorder(names.map { places[$0] ?? 0 })
    featureNames = names
    columns.features = names
  }

  /// Feature j of every sample ← feature `source[j]`.
  private mutating func reorder(_ source: [Int]) {
    var sample = [Float](repeating: 0, count: source.count)
    let (base, stride) = (features.mutableBase, features.rows)
    for n in 0..<features.columns {
      let column = base + n * stride
      for (j, from) in source.enumerated() { sample[j] = column[from] }
      for j in source.indices { column[j] = sample[j] }
    }
  }
}
