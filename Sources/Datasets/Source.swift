/// What the labels of a data set are.
public enum LearningTask: String, Sendable, CaseIterable {
  /// Names of classes.
  case classification
  /// Numbers.
  case regression
}

/// Where a data set lies and how to read it.
public struct Source: Sendable, Equatable {
  /// What to do with an empty field, and with a number that is not finite.
  public enum MissingValues: Sendable {
    /// Refuse the file and say where.
    case refuse
    /// Store NaN: for `Statistics`, which count them.
    case keepNaN
  }

  /// The file.
  public var path: String
  /// Whether it is the test set, for options that each of the two sets has.
  public var isTest: Bool
  /// Its format, and what may be said about it.
  public var options: SourceOptions

  public init(_ path: String, _ options: SourceOptions, isTest: Bool = false) {
    self.path = path
    self.isTest = isTest
    self.options = options
  }

  /// - Parameter given: the options of some formats; the others' are the defaults.
  package init(_ path: String, _ given: any DataFormat..., format: String = SourceOptions.automatic) {
    self.init(path, SourceOptions(given, format: format))
  }
}
