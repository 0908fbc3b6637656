/// What the labels of a data set are.
public enum LearningTask: String, Sendable, CaseIterable {
  /// Names of classes.
  case classification
  /// Numbers.
  case regression
}

/// Where a data set lies and how to read it.
public struct Source: Sendable, Equatable {
  /// The layout of a file.
  public enum Format: String, Sendable, CaseIterable {
    /// By the name of the file, and by its first bytes where the name does not tell.
    case auto
    /// Text, a sample a line, plain or gzipped.
    case csv
    /// The MNIST family's binary files, plain or gzipped.
    case idx
    /// A dataset of N × d numbers and one of N labels.
    case hdf5
  }

  /// Which column of a text file holds the label.
  public enum LabelColumn: Sendable, Equatable {
    /// The column of this number; the first is 1.
    case number(Int)
    /// The column that the header gives this name.
    case name(String)
    /// There is none. IDX and HDF5 files are then read without their labels, too.
    case none
  }

  /// What to do with an empty field, and with a number that is not finite.
  public enum MissingValues: Sendable {
    /// Refuse the file and say where.
    case refuse
    /// Store NaN: for `Statistics`, which count them.
    case keepNaN
  }

  /// The file.
  public var path: String
  public var format: Format
  /// CSV: whether line 1 names the columns. `nil`: it does if it holds no number outside the label column.
  public var header: Bool?
  /// CSV: what stands between two columns. `nil`: comma, semicolon, tab or blanks, whichever line 1 has.
  public var delimiter: Character?
  /// CSV: where the label is.
  public var labelColumn: LabelColumn
  /// IDX: the labels' file. `nil`: the name of the images' file with `labels-idx1` for `images-idx3`.
  public var labelsPath: String?
  /// HDF5: the name of the dataset of N × d features.
  public var featuresDataset: String
  /// HDF5: the name of the dataset of N labels.
  public var labelsDataset: String

  public init(
    _ path: String, format: Format = .auto, header: Bool? = nil, delimiter: Character? = nil,
    labelColumn: LabelColumn = .number(1), labelsPath: String? = nil,
    featuresDataset: String = "features", labelsDataset: String = "labels"
  ) {
    self.path = path
    self.format = format
    self.header = header
    self.delimiter = delimiter
    self.labelColumn = labelColumn
    self.labelsPath = labelsPath
    self.featuresDataset = featuresDataset
    self.labelsDataset = labelsDataset
  }
}
