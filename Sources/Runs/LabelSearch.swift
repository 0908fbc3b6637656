import Datasets
import MPI

extension Source {
  /// Where the table's header has the label that another data set's had, by its name, takes that column. Collective.
  ///
  /// Files of other formats, and those without a header, are left as they are.
  mutating func findLabel(as columns: ColumnNames, over ranks: borrowing Communicator) throws {
    guard options.hasLabels, let name = columns.label?.name,
      let names = try columnNames(over: ranks), names.contains(name)
    else { return }
    options[CSVFormat.self].labelColumn = .name(name)
  }

  /// The names of all columns of a table, the label's included; nil without a header, and for other files.
  /// Collective.
  func columnNames(over ranks: borrowing Communicator) throws -> [String]? {
    var all = self
    all.options[CSVFormat.self].labelColumn = .none
    let head = try preview(all, over: ranks)
    return head.format == CSVFormat.name ? head.columns.features : nil
  }
}
