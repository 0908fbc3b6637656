import LinearAlgebra
import TestSupport
import Testing

@Suite struct MatrixTests {
  @Test(arguments: [(0, 0), (0, 5), (5, 0), (1, 1), (3, 7), (1000, 40)])
  func aNewMatrixIsZeroAndAligned(rows: Int, columns: Int) {
    // Memory that was just given back full of other numbers must come back as zeros.
    for _ in 0..<3 {
      let used = Matrix<Float>(rows: rows, columns: columns) { _, _ in -3 }
      #expect(used.elements.allSatisfy { $0 == -3 })
    }
    let single = Matrix<Float>(rows: rows, columns: columns)
    let double = Matrix<Double>(rows: rows, columns: columns)
    #expect(single.rows == rows && single.columns == columns && single.count == rows * columns)
    #expect(single.elements.count == rows * columns && single.elements.allSatisfy { $0 == 0 })
    #expect(double.elements.count == rows * columns && double.elements.allSatisfy { $0 == 0 })
    #expect(Int(bitPattern: single.base) % 64 == 0)
    #expect(Int(bitPattern: double.base) % 64 == 0)
  }

  @Test func entriesLieColumnByColumn() {
    var A = Matrix<Int32>(rows: 2, [1, 2, 3, 4, 5, 6])
    #expect(A.columns == 3)
    #expect(A.all.nested == [[1, 3, 5], [2, 4, 6]])
    #expect(A[1, 2] == 6 && A.base[1 + 2 * 2] == 6)
    A[0, 1] = 30
    #expect(Array(A.elements) == [1, 2, 30, 4, 5, 6])
  }

  @Test func aCopyIsItsOwn() {
    var A = Matrix<Double>(rows: 2, [1, 2, 3, 4])
    var B = A.copy()
    #expect(Array(B.elements) == [1, 2, 3, 4])
    B[0, 0] = 9
    #expect(A[0, 0] == 1)
    A.assign(B)
    #expect(Array(A.elements) == [9, 2, 3, 4])
  }

  @Test func tilesAreWindows() {
    var A = Matrix<Float>(rows: 4, columns: 5) { i, j in Float(10 * i + j) }
    #expect(A.columns(1..<3).nested == [[1, 2], [11, 12], [21, 22], [31, 32]])
    #expect(A.rows(2..<4).nested == [[20, 21, 22, 23, 24], [30, 31, 32, 33, 34]])
    let inner = A.rows(1..<3).columns(3..<5)
    #expect(inner.nested == [[13, 14], [23, 24]])
    #expect(inner.stride == 4)
    #expect(A.columns(3..<5).rows(1..<3).nested == inner.nested)
    A.mutableRows(1..<3).columns(3..<5).column(1)[0] = -1
    #expect(A[1, 4] == -1)
    #expect(inner.nested == [[13, -1], [23, 24]], "a tile shows what the matrix holds")
    #expect(A.columns(2..<2).columns == 0 && A.rows(4..<4).rows == 0)
  }
}

@Suite struct OwnedArrayTests {
  /// Counts how many of its kind are alive.
  private struct Token: ~Copyable {
    final class Count { var alive = 0 }
    let count: Count
    let number: Int

    init(_ number: Int, _ count: Count) {
      self.number = number
      self.count = count
      count.alive += 1
    }

    deinit { count.alive -= 1 }
  }

  private struct Refusal: Error { let number: Int }

  @Test func valuesCountFromWhereTheyAreToldTo() {
    let count = Token.Count()
    do {
      let values = OwnedArray(1..<4) { Token($0, count) }
      #expect(values.indices == 1..<4)
      for i in values.indices { #expect(values[i].number == i) }
      #expect(count.alive == 3)
    }
    #expect(count.alive == 0, "the end of the array is the end of its values")
  }

  @Test func noValueAtAll() {
    let count = Token.Count()
    let values = OwnedArray(1..<1) { Token($0, count) }
    #expect(values.indices.isEmpty)
    #expect(count.alive == 0)
  }

  @Test func elementsChangeInPlace() {
    var values = OwnedArray(2..<4) { i in Matrix<Float>(rows: i, columns: 1) }
    values[3] = Matrix(rows: 5, columns: 2)
    values[2][1, 0] = 7
    #expect(values[2].rows == 2 && values[2][1, 0] == 7)
    #expect(values[3].rows == 5 && values[3].columns == 2)
  }

  @Test(arguments: 1...3)
  func anInitialiserThatThrowsKeepsNothing(refused: Int) {
    let count = Token.Count()
    do {
      _ = try OwnedArray(1..<4) { i throws(Refusal) in
        if i == refused { throw Refusal(number: i) }
        return Token(i, count)
      }
      Issue.record("value \(refused) was not refused")
    } catch {
      #expect(error.number == refused)
    }
    #expect(count.alive == 0)
  }
}
