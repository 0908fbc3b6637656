import Basics

/// Rows of texts, put under one another in columns.
package struct TextTable {
  /// On which side of its column a text stands.
  package enum Side { case left, right }

  private let sides: [Side]
  private var rows: [[String]]

  /// - Parameters:
  ///   - header: the first row.
  ///   - sides: one a column; all rows have as many texts.
  package init(_ header: [String], _ sides: [Side]) {
    self.sides = sides
    rows = []
    add(header)
  }

  package mutating func add(_ row: [String]) {
    precondition(row.count == sides.count, "\(row.count) texts for \(sides.count) columns")
    rows.append(row.map { printable($0, isOneLine: true) })
  }

  /// The rows, two blanks between columns, none at the end of a line.
  package var lines: [String] {
    let widths = sides.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { pad(row[$0], to: widths[$0], sides[$0]) }
      return trimmed(cells.joined(separator: "  "))
    }
  }
}

/// `text` with blanks on the other side, `width` characters in all, or more if it is longer.
package func pad(_ text: String, to width: Int, _ side: TextTable.Side) -> String {
  let blanks = String(repeating: " ", count: max(width - text.count, 0))
  return side == .left ? text + blanks : blanks + text
}

/// `text` without blanks at its end.
package func trimmed(_ text: String) -> String {
  String(text.reversed().drop { $0 == " " }.reversed())
}
