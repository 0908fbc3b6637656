import Datasets
import MPI

extension Source {
  /// Where the table's header has the label that another data set's had, by its name, takes that column. Collective.
  ///
  /// Files of other formats, and those without a header, are left as they are.
  mutating func findLabel(as columns: ColumnNames, over ranks: borrowing Communicator) throws {
    guard options.hasLabels, let name = columns.label?.name,
      let names = try preview(withoutLabels, over: ranks).tableColumns, names.contains(name)
    else { return }
    options[CSVFormat.self].labelColumn = .name(name)
  }

  /// The same with all columns taken for features.
  var withoutLabels: Source {
    var all = self
    all.options[CSVFormat.self].labelColumn = .none
    return all
  }
}

extension Preview {
  /// Whether the file is a table of text.
  var isTable: Bool { format == CSVFormat.name }

  /// The names of all columns of a table that was looked at without labels; nil without a header, and for other files.
  var tableColumns: [String]? { isTable ? columns.features : nil }
}
