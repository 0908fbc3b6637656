import Basics
import Files
import MPI
import Settings

/// Text, a sample a line, plain or gzipped. Line breaks inside quoted fields are not supported.
package struct CSVFormat: DataFormat {
  /// Which column holds the label.
  package enum LabelColumn: Sendable, Equatable {
    /// The column of this number; the first is 1, the last −1.
    case number(Int)
    /// The last column.
    case last
    /// The column that the header gives this name.
    case name(String)
    /// There is none. Files of other formats are then read without their labels, too.
    case none
  }

  package static let name = "csv"
  package static let endings = [".csv", ".tsv", ".txt", ".dat", ".data"]

  /// Whether line 1 names the columns. `nil`: the first lines tell (`CSVGuess`).
  package var header: Bool?
  /// What stands between two columns. `nil`: comma, semicolon, tab or blanks, as the first lines tell (`CSVGuess`).
  package var delimiter: Character?
  package var labelColumn: LabelColumn

  package static let keys: [SettingKey<CSVFormat>] = [
    SettingKey(
      "header", .optional(.text("auto"), or: .truth()), \.header,
      "CSV: whether the first line names the columns; \"auto\" goes by the first lines, and refuses in doubt."
    ),
    SettingKey(
      "delimiter", .delimiter, \.delimiter,
      "CSV: what separates the fields; \"auto\" goes by the first lines, and refuses in doubt."),
    SettingKey(
      "label_column", .labelColumn, \.labelColumn,
      "CSV: the column that holds the label: its number from 1, or from the end as -1, or its name in the header."
    ),
  ]

  package init() { self.init(header: nil) }

  package init(
    header: Bool? = nil, delimiter: Character? = nil, labelColumn: LabelColumn = .number(1)
  ) {
    self.header = header
    self.delimiter = delimiter
    self.labelColumn = labelColumn
  }

  /// Any text may be one: it is what a file is taken for that bears no other sign.
  package static func isLikely(_ head: [UInt8]) -> Bool { false }

  package func outline(
    _ source: Source, _ file: FileHead, over ranks: borrowing Communicator
  ) throws -> Outline {
    let layout = try ranks.agree { try CSVLayout(file, self) }
    return Outline(
      samples: file.isCompressed ? nil : layout.estimatedLines(of: file), isEstimate: !file.isCompressed,
      featureNames: layout.featureNames, hasLabels: layout.label != nil, columns: layout.names)
  }

  /// A plain file is read by byte ranges, a compressed one through rank 0.
  package func read(
    _ source: Source, _ file: FileHead, into intake: inout Intake, over ranks: borrowing Communicator,
    progress: (Double) -> Void
  ) throws -> ReadSamples {
    let layout = try ranks.agree { try CSVLayout(file, self) }
    var reader = CSVReader(layout: layout, intake: intake, file)
    let parcels =
      file.isCompressed
      ? try reader.readStream(over: ranks, progress: progress)
      : try reader.readOwnBytes(of: file.size, over: ranks, progress: progress)
    intake = reader.parser.intake
    let isRegression = intake.task == .regression
    let merged = try reader.sample.values.columns(over: ranks) {
      $0 == layout.label && !isRegression ? nil : layout.describe(column: $0)
    }
    return ReadSamples(
      parcels: parcels, featureNames: layout.featureNames, hasLabels: layout.label != nil,
      columns: layout.names, labelSource: layout.labelSource, merged: merged)
  }
}

// MARK: Kinds of values

extension ValueKind where Value == Character? {
  fileprivate static var delimiter: ValueKind {
    ValueKind(
      expected: "\"auto\", \"tab\", \"space\" or one character"
    ) {
      guard case .text(let text) = $0 else { return nil }
      switch text {
      case "auto": return .some(.none)
      case "tab": return "\t"
      case "space": return " "
      default:
        guard let only = text.first, text.count == 1, only.isASCII, !only.isNewline, only != "\"" else {
          return nil
        }
        return only
      }
    } write: {
      switch $0 {
      case nil: .text("auto")
      case "\t": .text("tab")
      case " ": .text("space")
      case .some(let character): .text(String(character))
      }
    }
  }
}

extension ValueKind where Value == CSVFormat.LabelColumn {
  fileprivate static var labelColumn: ValueKind {
    ValueKind(
      expected: "a column's number from 1 or, from the end, -1, its name, \"last\" or \"none\""
    ) {
      switch $0 {
      case .whole(let number) where number != 0: .number(number)
      case .text("none"): CSVFormat.LabelColumn.none
      case .text("last"): .last
      case .text(let name) where !name.isEmpty: .name(name)
      default: nil
      }
    } write: {
      switch $0 {
      case .none: .text("none")
      case .last: .text("last")
      case .number(let number): .whole(number)
      case .name(let name): .text(name)
      }
    }
  }
}
