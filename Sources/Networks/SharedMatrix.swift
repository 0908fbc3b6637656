import LinearAlgebra

/// A matrix of the samples' size, a sample a column, that the threads of a rank write at the same time, each its own
/// columns. Its address is taken once, before they run: Swift's rule that nobody else touches what is being changed
/// holds for columns here, not for the whole.
package struct SharedMatrix: ~Copyable {
  private let memory: Matrix<Float>
  private let window: MutableTile<Float>

  /// Zeros.
  package init(rows: Int, columns: Int) {
    var memory = Matrix<Float>(rows: rows, columns: columns)
    window = memory.mutableAll
    self.memory = memory
  }

  package var rows: Int { memory.rows }

  package var all: Tile<Float> { memory.all }

  package var elements: UnsafeBufferPointer<Float> { memory.elements }

  package func rows(_ range: Range<Int>) -> Tile<Float> { memory.rows(range) }

  package func columns(_ range: Range<Int>) -> Tile<Float> { memory.columns(range) }

  /// Zeros again, padding included. Before threads run.
  package func clear() {
    for j in 0..<window.columns { window.column(j).update(repeating: 0, count: window.rows) }
  }

  /// The first rows of all columns, while no thread writes them.
  package func own(rows: Int) -> MutableTile<Float> { window.rows(0..<rows) }

  /// For the one thread that these columns belong to.
  package func ownColumns(_ range: Range<Int>) -> MutableTile<Float> { window.columns(range) }
}
