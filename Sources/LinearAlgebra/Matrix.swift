import Glibc

/// The size of a huge page of memory in bytes, as most systems have it.
private let hugePage = 2 << 20

/// A dense matrix, column-major, that owns its memory.
///
/// Entry (i, j) lies at `base[i + j * rows]`. In this program a sample is a column. Matrices are not copied by
/// accident: there is one owner, and `copy()` says what it does. Sixteen numbers beyond the last entry may be read:
/// what is worked on in whole vectors (`TileProducts.swift`) needs no other padding.
public struct Matrix<Element: BitwiseCopyable>: ~Copyable {
  /// How many rows.
  public let rows: Int
  /// How many columns.
  public let columns: Int
  @usableFromInline let memory: UnsafeMutablePointer<Element>

  /// A matrix whose bytes are all 0, which is the number 0 for every numeric type.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix can't be \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    let bytes = matrixBytes(rows, columns, stride: MemoryLayout<Element>.stride)
    // What is much larger than a page goes into huge ones, where the system has them: columns far apart cost fewer
    // page walks.
    let isHuge = bytes >= 2 * hugePage
    var address: UnsafeMutableRawPointer? = nil
    guard posix_memalign(&address, isHuge ? hugePage : 64, bytes) == 0, let address else {
      endWithoutMemory("a matrix of \(rows) × \(columns) numbers, \(bytes) bytes")
    }
    if isHuge { madvise(address, bytes, MADV_HUGEPAGE) }
    memset(address, 0, bytes)
    memory = address.bindMemory(to: Element.self, capacity: max(rows * columns, 1))
  }

  /// A matrix from its columns, one after the other; `columns` follows from the length.
  public init(rows: Int, _ elements: [Element]) {
    precondition(rows > 0 && elements.count % rows == 0, "\(elements.count) entries don't fill \(rows) rows")
    self.init(rows: rows, columns: elements.count / rows)
    memory.update(from: elements, count: elements.count)
  }

  /// A matrix of a tile's shape and entries.
  public init(copying tile: Tile<Element>) {
    self.init(rows: tile.rows, columns: tile.columns)
    mutableAll.assign(tile)
  }

  deinit { memory.deallocate() }

  /// How many entries.
  @inlinable public var count: Int { rows * columns }

  /// The entries, column by column, to be read; valid as long as the matrix is. 64-byte aligned.
  @inlinable public var base: UnsafePointer<Element> { UnsafePointer(memory) }

  /// The entries, column by column, to be written.
  @inlinable public var mutableBase: UnsafeMutablePointer<Element> { mutating get { memory } }

  /// All entries, column by column.
  @inlinable public var elements: UnsafeBufferPointer<Element> {
    UnsafeBufferPointer(start: memory, count: count)
  }

  /// All entries, column by column, to be written.
  @inlinable public var mutableElements: UnsafeMutableBufferPointer<Element> {
    mutating get { UnsafeMutableBufferPointer(start: memory, count: count) }
  }

  /// Entry (i, j).
  @inlinable public subscript(i: Int, j: Int) -> Element {
    get {
      precondition(i >= 0 && i < rows && j >= 0 && j < columns, "(\(i), \(j)) in \(rows) × \(columns)")
      return memory[i + j * rows]
    }
    set {
      precondition(i >= 0 && i < rows && j >= 0 && j < columns, "(\(i), \(j)) in \(rows) × \(columns)")
      memory[i + j * rows] = newValue
    }
  }

  /// A second matrix with the same entries.
  public func copy() -> Matrix {
    var other = Matrix(rows: rows, columns: columns)
    other.assign(self)
    return other
  }

  /// Overwrites all entries with those of `other`, which has the same shape.
  public mutating func assign(_ other: borrowing Matrix) {
    precondition(rows == other.rows && columns == other.columns, "shapes differ")
    memory.update(from: other.memory, count: count)
  }

  /// Overwrites all entries with `value`.
  public mutating func fill(_ value: Element) { memory.update(repeating: value, count: count) }

  /// The whole matrix, to be read.
  @inlinable public var all: Tile<Element> {
    Tile(base: base, rows: rows, columns: columns, stride: rows)
  }

  /// Some consecutive columns, to be read.
  @inlinable public func columns(_ range: Range<Int>) -> Tile<Element> { all.columns(range) }

  /// Some consecutive rows of all columns, to be read.
  @inlinable public func rows(_ range: Range<Int>) -> Tile<Element> { all.rows(range) }

  /// The whole matrix, to be written.
  @inlinable public var mutableAll: MutableTile<Element> {
    mutating get { MutableTile(base: memory, rows: rows, columns: columns, stride: rows) }
  }

  /// Some consecutive columns, to be written.
  @inlinable public mutating func mutableColumns(_ range: Range<Int>) -> MutableTile<Element> {
    mutableAll.columns(range)
  }

  /// Some consecutive rows of all columns, to be written.
  @inlinable public mutating func mutableRows(_ range: Range<Int>) -> MutableTile<Element> {
    mutableAll.rows(range)
  }
}
