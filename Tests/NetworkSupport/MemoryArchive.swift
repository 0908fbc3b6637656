import LinearAlgebra
import Sums

/// A state that is kept in memory: what was written is read by a second archive.
package final class MemoryArchive: StateArchive {
  package let isReading: Bool
  package var prefix = ""
  package private(set) var lists: [String: [Double]] = [:]
  package private(set) var texts: [String: String] = [:]
  /// Names that were used twice, or that were asked for and are not there.
  package private(set) var wrongNames: [String] = []

  /// To be written.
  package init() { isReading = false }

  /// To be read.
  package init(reading other: MemoryArchive) {
    isReading = true
    (lists, texts) = (other.lists, other.texts)
  }

  /// The numbers of a name, written or read.
  private func exchange(_ name: String, _ numbers: [Double], count: Int?) -> [Double] {
    let name = prefix + name
    guard isReading else {
      if lists.updateValue(numbers, forKey: name) != nil { wrongNames.append(name) }
      return numbers
    }
    guard let found = lists[name], count == nil || count == found.count else {
      wrongNames.append(name)
      return numbers
    }
    return found
  }

  package func list(_ name: String, _ x: inout [Int], count: Int?) {
    x = exchange(name, x.map { Double($0) }, count: count).map { $0 <= -0x1p63 ? .min : Int($0) }
  }

  package func list(_ name: String, _ x: inout [Double], count: Int?) { x = exchange(name, x, count: count) }

  package func list(_ name: String, _ x: inout [Float], count: Int?) {
    x = exchange(name, x.map(Double.init), count: count).map { Float($0) }
  }

  package func callAsFunction(_ name: String, _ x: inout String) {
    if isReading { x = texts[prefix + name] ?? x } else { texts[prefix + name] = x }
  }

  package func bySample(_ name: String, _ x: MutableTile<Float>) {
    var numbers: [Double] = []
    for j in 0..<x.columns { for i in 0..<x.rows { numbers.append(Double(x.column(j)[i])) } }
    numbers = exchange(name, numbers, count: numbers.count)
    for j in 0..<x.columns { for i in 0..<x.rows { x.column(j)[i] = Float(numbers[j * x.rows + i]) } }
  }
}
