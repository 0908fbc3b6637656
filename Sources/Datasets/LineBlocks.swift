import Files
import Glibc
import MPI

/// The share of `rank` of the bytes `contents`: consecutive, and equal to within a byte.
package func byteRange(of rank: Int, of ranks: Int, in contents: Range<Int>) -> Range<Int> {
  let (whole, rest) = contents.count.quotientAndRemainder(dividingBy: ranks)
  func cut(_ r: Int) -> Int { contents.lowerBound + r * whole + r * rest / ranks }
  return cut(rank)..<cut(rank + 1)
}

/// Reads the lines that begin in a range of bytes, and hands them over in blocks of whole lines.
///
/// A line belongs to the range that it begins in, whoever holds its end: ranges that tile a file yield each line once. Local.
///
/// - Parameters:
///   - range: the bytes in which the lines begin.
///   - contents: all bytes of the text; its lower bound begins a line. The upper bound may be `Int.max`: then 0 bytes read are the end.
///   - blockSize: bytes a block; a longer line makes the block grow.
///   - read: fills a buffer from an offset, and returns how many bytes there were. Called with consecutive offsets.
///   - body: takes one or more whole lines; the last one of the text may lack its end.
/// - Throws: what `read` and `body` throw; `longLine()` where a line is longer than 64 MiB.
package func forEachBlock(
  ofLinesIn range: Range<Int>, of contents: Range<Int>, blockSize: Int,
  read: (UnsafeMutableBufferPointer<UInt8>, Int) throws -> Int, longLine: () -> any Error,
  body: (UnsafeBufferPointer<UInt8>) throws -> Void
) throws {
  guard !range.isEmpty else { return }
  var buffer = [UInt8](repeating: 0, count: blockSize)
  // The buffer holds the bytes from `base` on. The byte before the range tells whether a line begins with it.
  var base = range.lowerBound
  var isSkipping = false
  if base > contents.lowerBound {
    base -= 1
    isSkipping = true
  }
  var held = 0
  while true {
    let wanted = min(buffer.count - held, contents.upperBound - base - held)
    let count = try buffer.withUnsafeMutableBufferPointer {
      try read(UnsafeMutableBufferPointer(rebasing: $0[held..<held + wanted]), base + held)
    }
    held += count
    let isAtEnd = count == 0 || base + held == contents.upperBound
    try buffer.withUnsafeMutableBufferPointer { bytes in
      var start = 0
      if isSkipping {
        guard let newline = bytes[..<held].firstNewline else {
          base += held
          held = 0
          return
        }
        start = newline + 1
        isSkipping = false
      }
      // The last own line contains the last byte of the range.
      let lastByte = range.upperBound - 1 - base
      var stop: Int
      var isDone = false
      if lastByte < start {
        stop = start
        isDone = true
      } else if lastByte < held, let newline = bytes[lastByte..<held].firstNewline {
        stop = newline + 1
        isDone = true
      } else if isAtEnd {
        stop = held
        isDone = true
      } else {
        stop = bytes[start..<held].lastNewline.map { $0 + 1 } ?? start
      }
      if stop > start { try body(UnsafeBufferPointer(rebasing: bytes[start..<stop])) }
      if isDone { stop = held }
      if let address = bytes.baseAddress, stop > 0 { memmove(address, address + stop, held - stop) }
      base = isDone ? range.upperBound : base + stop
      held -= stop
    }
    if isAtEnd || base >= range.upperBound { return }
    if held == buffer.count {
      guard buffer.count < 64 << 20 else { throw longLine() }
      buffer.append(contentsOf: [UInt8](repeating: 0, count: buffer.count))
    }
  }
}

extension Slice<UnsafeMutableBufferPointer<UInt8>> {
  /// The index of the first LF.
  fileprivate var firstNewline: Int? {
    guard let address = base.baseAddress, !isEmpty, let found = memchr(address + startIndex, 0x0A, count)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(address)
  }

  /// The index of the last LF.
  fileprivate var lastNewline: Int? { lastIndex(of: 0x0A) }
}
