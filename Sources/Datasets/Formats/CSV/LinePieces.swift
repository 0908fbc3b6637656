import Glibc

/// The share of `rank` of the bytes `contents`: consecutive, and equal to within a byte.
package func byteRange(of rank: Int, of ranks: Int, in contents: Range<Int>) -> Range<Int> {
  let (whole, rest) = contents.count.quotientAndRemainder(dividingBy: ranks)
  func cut(_ r: Int) -> Int { contents.lowerBound + r * whole + r * rest / ranks }
  return cut(rank)..<cut(rank + 1)
}

/// Reads the lines that begin in a range of bytes, and hands them over in pieces of whole lines.
///
/// A line belongs to the range that it begins in, whoever holds its end: ranges that tile a file yield each line
/// once. Local.
///
/// - Parameters:
///   - range: the bytes in which the lines begin.
///   - contents: all bytes of the text; its lower bound begins a line. The upper bound may be `Int.max`: then 0
///     bytes read are the end.
///   - size: bytes a piece; a longer line makes the piece grow.
///   - read: fills a buffer from an offset, and returns how many bytes there were. Called with consecutive offsets.
///   - body: takes one or more whole lines and the offset of the first; the last one of the text may lack its end.
/// - Throws: what `read` and `body` throw; `longLine()` where a line is longer than 64 MiB.
package func forEachPiece(
  ofLinesIn range: Range<Int>, of contents: Range<Int>, size: Int,
  read: (UnsafeMutableBufferPointer<UInt8>, Int) throws -> Int, longLine: () -> any Error,
  body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
) throws {
  guard !range.isEmpty else { return }
  var window = LineWindow(range, of: contents, size: size)
  while !window.isDone {
    try window.fill(read)
    let lines = window.ownLines()
    if !lines.isEmpty {
      try window.bytes.withUnsafeBufferPointer {
        try body(UnsafeBufferPointer(rebasing: $0[lines]), window.base + lines.lowerBound)
      }
    }
    window.drop(to: lines.upperBound)
    if window.isFull && !window.isDone {
      guard window.bytes.count < 64 << 20 else { throw longLine() }
      window.grow()
    }
  }
}

/// The part of a text that is held in memory: the bytes from `base` on.
private struct LineWindow {
  private let range: Range<Int>
  private let end: Int
  private(set) var bytes: [UInt8]
  /// How many of `bytes` are filled.
  private var held = 0
  private(set) var base: Int
  /// Whether the text begins with a line that is not ours, or rather its end.
  private var isSkipping: Bool
  /// Whether all own lines have been found.
  private(set) var isDone = false
  /// Whether there is nothing more to read.
  private var isAtEnd = false

  init(_ range: Range<Int>, of contents: Range<Int>, size: Int) {
    self.range = range
    end = contents.upperBound
    bytes = [UInt8](repeating: 0, count: size)
    // The byte before the range tells whether a line begins with it.
    isSkipping = range.lowerBound > contents.lowerBound
    base = isSkipping ? range.lowerBound - 1 : range.lowerBound
  }

  /// Whether not even one line fits.
  var isFull: Bool { held == bytes.count }

  mutating func grow() { bytes.append(contentsOf: [UInt8](repeating: 0, count: bytes.count)) }

  /// Reads as much as there is room.
  mutating func fill(_ read: (UnsafeMutableBufferPointer<UInt8>, Int) throws -> Int) throws {
    let (first, wanted) = (held, min(bytes.count - held, end - base - held))
    let count = try bytes.withUnsafeMutableBufferPointer {
      try read(UnsafeMutableBufferPointer(rebasing: $0[first..<first + wanted]), base + first)
    }
    held += count
    isAtEnd = count == 0 || base + held == end
  }

  /// The whole lines held that begin in the range.
  mutating func ownLines() -> Range<Int> {
    isDone = isAtEnd
    var start = 0
    if isSkipping {
      guard let newline = bytes[..<held].firstNewline else {
        isDone = isAtEnd || base + held >= range.upperBound
        return held..<held
      }
      start = newline + 1
      isSkipping = false
    }
    // The last own line contains the last byte of the range.
    let lastByte = range.upperBound - 1 - base
    if lastByte < start {
      isDone = true
      return start..<start
    }
    if lastByte < held, let newline = bytes[lastByte..<held].firstNewline {
      isDone = true
      return start..<newline + 1
    }
    if isAtEnd { return start..<held }
    return start..<(bytes[start..<held].lastNewline.map { $0 + 1 } ?? start)
  }

  /// Forgets the bytes before `place`.
  mutating func drop(to place: Int) {
    guard place > 0 else { return }
    let left = held - place
    bytes.withUnsafeMutableBufferPointer { bytes in
      if let address = bytes.baseAddress { _ = memmove(address, address + place, left) }
    }
    base += place
    held = left
  }
}

extension ArraySlice<UInt8> {
  /// The index of the first LF.
  fileprivate var firstNewline: Int? {
    withUnsafeBufferPointer { bytes in
      guard let address = bytes.baseAddress, !bytes.isEmpty, let found = memchr(address, 0x0A, bytes.count)
      else { return nil }
      return startIndex + (UnsafeRawPointer(found) - UnsafeRawPointer(address))
    }
  }

  /// The index of the last LF.
  fileprivate var lastNewline: Int? { lastIndex(of: 0x0A) }
}
