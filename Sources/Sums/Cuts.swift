/// Consecutive ranges of at most `length` that together make up a range.
package struct Cuts: Sequence, IteratorProtocol {
  private var rest: Range<Int>
  private let length: Int

  package init(_ range: Range<Int>, length: Int) {
    rest = range
    self.length = length
  }

  package mutating func next() -> Range<Int>? {
    guard !rest.isEmpty else { return nil }
    let cut = rest.lowerBound..<Swift.min(rest.lowerBound + length, rest.upperBound)
    rest = cut.upperBound..<rest.upperBound
    return cut
  }
}
