/// A rectangular part of a matrix, to be read: consecutive rows of consecutive columns. It owns nothing and must not
/// outlive its matrix.
///
/// What works in whole vectors reads up to fifteen numbers beyond a column's end and ignores them, whoever owns
/// them.
public struct Tile<Element: BitwiseCopyable> {
  /// Entry (0, 0).
  public let base: UnsafePointer<Element>
  /// How many rows.
  public let rows: Int
  /// How many columns.
  public let columns: Int
  /// The distance between entries (i, j) and (i, j+1).
  public let stride: Int

  /// A part of memory that somebody else owns.
  @inlinable public init(base: UnsafePointer<Element>, rows: Int, columns: Int, stride: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }

  /// What may be written may be read.
  @inlinable public init(_ tile: MutableTile<Element>) {
    self.init(base: UnsafePointer(tile.base), rows: tile.rows, columns: tile.columns, stride: tile.stride)
  }

  /// Whether the columns follow each other without a gap.
  @inlinable public var isOnePiece: Bool { stride == rows }

  /// The pointer to the first entry of column j.
  @inlinable public func column(_ j: Int) -> UnsafePointer<Element> {
    precondition(j >= 0 && j < columns, "column \(j) of \(columns)")
    return base + j * stride
  }

  /// Some consecutive columns.
  @inlinable public func columns(_ range: Range<Int>) -> Tile {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Tile(base: base + range.lowerBound * stride, rows: rows, columns: range.count, stride: stride)
  }

  /// Some consecutive rows of all columns.
  @inlinable public func rows(_ range: Range<Int>) -> Tile {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tile(base: base + range.lowerBound, rows: range.count, columns: columns, stride: stride)
  }

  /// All entries as one column, of a tile in one piece.
  @inlinable public var asColumn: Tile {
    precondition(isOnePiece, "columns \(stride) apart of \(rows) rows")
    return Tile(base: base, rows: rows * columns, columns: 1, stride: rows * columns)
  }
}

/// A rectangular part of a matrix, to be written. Only who may change the matrix gets one; several threads may hold
/// disjoint ones.
public struct MutableTile<Element: BitwiseCopyable> {
  /// Entry (0, 0).
  public let base: UnsafeMutablePointer<Element>
  /// How many rows.
  public let rows: Int
  /// How many columns.
  public let columns: Int
  /// The distance between entries (i, j) and (i, j+1).
  public let stride: Int

  /// A part of memory that somebody else owns.
  @inlinable public init(base: UnsafeMutablePointer<Element>, rows: Int, columns: Int, stride: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }

  /// Whether the columns follow each other without a gap.
  @inlinable public var isOnePiece: Bool { stride == rows }

  /// The pointer to the first entry of column j.
  @inlinable public func column(_ j: Int) -> UnsafeMutablePointer<Element> {
    precondition(j >= 0 && j < columns, "column \(j) of \(columns)")
    return base + j * stride
  }

  /// Some consecutive columns.
  @inlinable public func columns(_ range: Range<Int>) -> MutableTile {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return MutableTile(
      base: base + range.lowerBound * stride, rows: rows, columns: range.count, stride: stride)
  }

  /// Some consecutive rows of all columns.
  @inlinable public func rows(_ range: Range<Int>) -> MutableTile {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return MutableTile(base: base + range.lowerBound, rows: range.count, columns: columns, stride: stride)
  }

  /// All entries as one column, of a tile in one piece.
  @inlinable public var asColumn: MutableTile {
    precondition(isOnePiece, "columns \(stride) apart of \(rows) rows")
    return MutableTile(base: base, rows: rows * columns, columns: 1, stride: rows * columns)
  }

  /// Overwrites row `i` of all columns by `value`.
  @inlinable public func fillRow(_ i: Int, with value: Element) {
    precondition(i >= 0 && i < rows, "row \(i) of \(rows)")
    for j in 0..<columns { column(j)[i] = value }
  }

  /// Overwrites all entries with those of a tile of the same shape.
  @inlinable public func assign(_ other: Tile<Element>) {
    precondition(rows == other.rows && columns == other.columns, "shapes differ")
    for j in 0..<columns { column(j).update(from: other.column(j), count: rows) }
  }
}
