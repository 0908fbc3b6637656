import LinearAlgebra

/// One matrix that is summed over samples: how it is computed, and where it lies in the message.
package struct SumLayout: Sendable {
  /// How the entries are computed and sent.
  package enum Form: Sendable, Equatable {
    case plain
    /// Computed transposed.
    case transposed
    /// Symmetric: the upper triangle is computed and sent.
    case symmetric
  }

  /// What the sum is called in messages, such as "z_1 a_0ᵀ".
  package let name: String
  package let form: Form
  /// The sum as it is computed, before padding: whole vectors run down its columns.
  package let rows, columns: Int
  /// The symmetric sum that this one is computed with, as its last columns, if any.
  package let host: Int?
  /// How many rows and columns are computed; of a host those of its guest included.
  package let computedRows, computedColumns: Int
  /// Where its entries lie in the message, column by column.
  package fileprivate(set) var entries: Range<Int> = 0..<0

  /// A sum of `rows` × `columns` as it is meant.
  ///
  /// - Parameters:
  ///   - guestRows: of a symmetric sum: how many more rows its tiles have, for a guest.
  ///   - host: the number of the sum that this one is a guest of. It is then computed transposed.
  package init(
    _ name: String, rows: Int, columns: Int, form: Form, guestRows: Int = 0, host: Int? = nil
  ) {
    precondition(form != .symmetric || rows == columns, "a symmetric sum of \(rows) × \(columns)")
    precondition(host == nil || form == .transposed, "a guest is computed transposed")
    self.name = name
    self.form = form
    self.host = host
    self.rows = form == .transposed ? columns : rows
    self.columns = form == .transposed ? rows : columns
    computedRows = self.rows + guestRows
    computedColumns = host == nil ? self.columns + guestRows : 0
  }

  /// Whether a product of this shape is computed transposed: the side that wastes less on padding goes down the
  /// columns.
  package static func isTransposed(rows: Int, columns: Int) -> Bool {
    wholeVectors(rows) * laneCount * columns > wholeVectors(columns) * laneCount * rows
  }

  /// How many entries travel.
  package var entryCount: Int { form == .symmetric ? rows * (rows + 1) / 2 : rows * columns }

  /// The distances of neighbours in the sum as it is meant, for one row and one column further in this.
  var rowStride: Int { form == .transposed ? columns : 1 }
  var columnStride: Int { form == .transposed ? 1 : rows }

  /// The shape as it is meant.
  var meantRows: Int { form == .transposed ? columns : rows }
  var meantColumns: Int { form == .transposed ? rows : columns }

  /// Calls `body` with each column, how many of its entries count, and their place in the message.
  @inline(__always)
  func forEachColumn(_ body: (_ j: Int, _ length: Int, _ offset: Int) -> Void) {
    var offset = entries.lowerBound
    for j in 0..<columns {
      let length = form == .symmetric ? j + 1 : rows
      body(j, length, offset)
      offset += length
    }
  }
}

extension [SumLayout] {
  /// The same sums, one after the other in a message.
  func placed() -> [SumLayout] {
    var end = 0
    return map { layout in
      var placed = layout
      placed.entries = end..<end + layout.entryCount
      end = placed.entries.upperBound
      return placed
    }
  }
}
