import Glibc

/// The size of a huge page of memory in bytes, as most systems have it.
private let hugePage = 2 << 20

/// A dense matrix, column-major, that owns its memory.
///
/// Entry (i, j) lies at `base[i + j * rows]`. In this program a sample is a column. Matrices are not copied by accident: there is
/// one owner, and `copy()` says what it does. Sixteen numbers beyond the last entry may be read: what is worked on in whole vectors
/// (`TileProducts.swift`) needs no other padding.
public struct Matrix<Element: BitwiseCopyable>: ~Copyable {
  /// How many rows.
  public let rows: Int
  /// How many columns.
  public let columns: Int
  /// The entries; valid as long as the matrix lives. 64-byte aligned.
  public let base: UnsafeMutablePointer<Element>

  /// A matrix whose bytes are all 0, which is the number 0 for every numeric type.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix can't be \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    let bytes = (rows * columns + laneCount) * MemoryLayout<Element>.stride
    var address: UnsafeMutableRawPointer? = nil
    // What is much larger than a page goes into huge ones, where the system has them: columns far apart cost fewer page walks.
    let isHuge = bytes >= 2 * hugePage
    guard posix_memalign(&address, isHuge ? hugePage : 64, bytes) == 0, let address else {
      fatalError("no memory for a matrix of \(rows) × \(columns) (\(bytes) bytes)")
    }
    if isHuge { madvise(address, bytes, MADV_HUGEPAGE) }
    memset(address, 0, bytes)
    base = address.bindMemory(to: Element.self, capacity: max(rows * columns, 1))
  }

  /// A matrix from its columns, one after the other; `columns` follows from the length.
  public init(rows: Int, _ elements: [Element]) {
    precondition(rows > 0 && elements.count % rows == 0, "\(elements.count) entries don't fill \(rows) rows")
    self.init(rows: rows, columns: elements.count / rows)
    for i in elements.indices { base[i] = elements[i] }
  }

  deinit { base.deallocate() }

  /// How many entries.
  @inlinable public var count: Int { rows * columns }

  /// All entries, column by column.
  @inlinable public var elements: UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(start: base, count: rows * columns)
  }

  /// Entry (i, j).
  @inlinable public subscript(i: Int, j: Int) -> Element {
    get {
      precondition(i >= 0 && i < rows && j >= 0 && j < columns, "(\(i), \(j)) in \(rows) × \(columns)")
      return base[i + j * rows]
    }
    nonmutating set {
      precondition(i >= 0 && i < rows && j >= 0 && j < columns, "(\(i), \(j)) in \(rows) × \(columns)")
      base[i + j * rows] = newValue
    }
  }

  /// A second matrix with the same entries.
  public func copy() -> Matrix {
    let other = Matrix(rows: rows, columns: columns)
    other.assign(self)
    return other
  }

  /// Overwrites all entries with those of `other`, which has the same shape.
  public func assign(_ other: borrowing Matrix) {
    precondition(rows == other.rows && columns == other.columns, "shapes differ")
    base.update(from: other.base, count: count)
  }

  /// The whole matrix as a tile.
  @inlinable public var all: Tile<Element> {
    Tile(base: base, rows: rows, columns: columns, stride: rows)
  }

  /// Some consecutive columns.
  @inlinable public func columns(_ range: Range<Int>) -> Tile<Element> { all.columns(range) }

  /// Some consecutive rows of all columns.
  @inlinable public func rows(_ range: Range<Int>) -> Tile<Element> { all.rows(range) }
}

/// A rectangular part of a matrix: consecutive rows of consecutive columns. It owns nothing and must not outlive its matrix.
///
/// Several threads may hold disjoint tiles of one matrix. What works in whole vectors reads up to fifteen numbers beyond a column's end and
/// ignores them, whoever owns them.
public struct Tile<Element: BitwiseCopyable> {
  /// Entry (0, 0).
  public let base: UnsafeMutablePointer<Element>
  /// How many rows.
  public let rows: Int
  /// How many columns.
  public let columns: Int
  /// The distance between entries (i, j) and (i, j+1).
  public let stride: Int

  /// A tile of memory that somebody else owns.
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
  @inlinable public func columns(_ range: Range<Int>) -> Tile {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Tile(base: base + range.lowerBound * stride, rows: rows, columns: range.count, stride: stride)
  }

  /// All entries as one column, of a tile in one piece.
  @inlinable public var asColumn: Tile {
    precondition(isOnePiece, "columns \(stride) apart of \(rows) rows")
    return Tile(base: base, rows: rows * columns, columns: 1, stride: rows * columns)
  }

  /// Overwrites row `i` of all columns by `value`.
  @inlinable public func fillRow(_ i: Int, with value: Element) {
    precondition(i >= 0 && i < rows, "row \(i) of \(rows)")
    for j in 0..<columns { column(j)[i] = value }
  }

  /// Some consecutive rows of all columns.
  @inlinable public func rows(_ range: Range<Int>) -> Tile {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tile(base: base + range.lowerBound, rows: range.count, columns: columns, stride: stride)
  }
}
