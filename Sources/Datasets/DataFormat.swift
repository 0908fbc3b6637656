import MPI
import Settings

/// Every format there is, in the order in which they are named and tried. To add one is a line here, and its own
/// file.
package let dataFormats: [any DataFormat.Type] = [CSVFormat.self, IDXFormat.self, HDF5Format.self]

/// A format of data files: how a file is recognised, what may be said about it, how it is looked at and read.
///
/// A value holds the format's options. What all formats share is not here: labels and missing values (`Intake`),
/// who gets which samples (`Parcel`), and which fault stands first in a file (`Fault`).
package protocol DataFormat: Sendable, Equatable {
  /// What users call it.
  static var name: String { get }
  /// How the names of such files end, in lower case and without ".gz".
  static var endings: [String] { get }
  /// Whether a file of such first bytes is likely to be one, whatever its name; false where they don't tell.
  static func isLikely(_ head: [UInt8]) -> Bool
  /// The keys of the options.
  static var keys: [SettingKey<Self>] { get }

  /// All defaults.
  init()

  /// What the beginning of a file tells. Collective; every rank gets the same.
  ///
  /// - Throws: a shared `Failure` where the file is damaged or does not fit the source.
  func outline(_ source: Source, _ file: FileHead, over ranks: borrowing Communicator) throws -> Outline

  /// Reads a file, each rank some of its samples. Collective.
  ///
  /// - Parameters:
  ///   - intake: takes over labels and rows.
  ///   - progress: told the fraction of its own part that a rank has read.
  /// - Throws: a shared `Failure`, that of the first fault in the file.
  func read(
    _ source: Source, _ file: FileHead, into intake: inout Intake, over ranks: borrowing Communicator,
    progress: (Double) -> Void
  ) throws -> ReadSamples
}

/// What the beginning of a file tells.
package struct Outline {
  /// N; `nil` where only a full read tells.
  var samples: Int?
  /// Whether `samples` is only about so many.
  var isEstimate = false
  /// d names, the same on every rank.
  var featureNames: [String]
  /// Whether there are labels, and they are wanted.
  var hasLabels: Bool
  /// What the file calls its columns.
  var columns = ColumnNames()
}

/// What one rank has read of a file, before it goes to its owners.
package struct ReadSamples {
  var parcels: [Parcel]
  /// d names, the same on every rank.
  let featureNames: [String]
  let hasLabels: Bool
  /// What the file calls its columns, the same on every rank.
  var columns = ColumnNames()
  /// Where the labels stand, the same on every rank; `nil` where there is no more to say of it.
  var labelSource: LabelSource? = nil
  /// The columns that lose much in single precision, the same on every rank.
  var merged: [MergedColumn] = []
}

/// The most features that a sample of a binary file may have, such as 256³ voxels: more are a sign of damage.
let featureLimit = 1 << 24

/// The names of d features that have none: x1, x2, …
package func numberedNames(_ d: Int) -> [String] { (0..<d).map { "x\($0 + 1)" } }
