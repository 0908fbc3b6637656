import Datasets
import Files
import Testing

@Suite struct LinePiecesTests {
  /// The pieces that a reader of `range` gets, checked to be whole lines.
  private func lines(
    of bytes: [UInt8], in range: Range<Int>, from start: Int, size: Int, isStream: Bool = false
  ) throws -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var next: Int? = nil
    try forEachPiece(
      ofLinesIn: range, of: start..<(isStream ? Int.max : bytes.count), size: size,
      read: { buffer, offset in
        if next ?? offset != offset { Issue.record("\(offset) is read after \(next ?? 0)") }
        let count = max(0, min(buffer.count, bytes.count - offset))
        for i in 0..<count { buffer[i] = bytes[offset + i] }
        next = offset + count
        return count
      },
      longLine: { CancellationError() }
    ) { text, offset in
      #expect(text.count > 0)
      #expect(text.elementsEqual(bytes[offset..<offset + text.count]))
      var line: [UInt8] = []
      for byte in text {
        line.append(byte)
        if byte == 0x0A {
          lines.append(line)
          line = []
        }
      }
      if !line.isEmpty { lines.append(line) }
    }
    return lines
  }

  static let texts = [
    "a,b\n1,2\n33,44\r\n\n5,6\n", "a,b\n1,2\n33,44\r\n\n5,6", "\n", "x", "\n\n\nx", "head\n",
    "head\r\n1\n2\n3\n4\n5\n6\n7\n8\n9",
  ]

  @Test(arguments: texts) func everyCutYieldsEveryLineOnce(_ text: String) throws {
    let bytes = Array(text.utf8)
    let whole = try lines(of: bytes, in: 0..<bytes.count, from: 0, size: 1000)
    #expect(whole.joined().elementsEqual(bytes))
    for first in 0...bytes.count {
      for second in first...bytes.count {
        for size in [1, 2, 3, 7, 64] {
          let parts = try [0..<first, first..<second, second..<bytes.count].map {
            try lines(of: bytes, in: $0, from: 0, size: size)
          }
          if Array(parts.joined()) != whole {
            Issue.record("cuts at \(first) and \(second), blocks of \(size)")
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 7, 40, 100]) func rangesTileTheBytes(_ ranks: Int) throws {
    let contents = 5..<43
    var next = contents.lowerBound
    for rank in 0..<ranks {
      let range = byteRange(of: rank, of: ranks, in: contents)
      #expect(range.lowerBound == next)
      #expect((contents.count / ranks...contents.count / ranks + 1).contains(range.count))
      next = range.upperBound
    }
    #expect(next == contents.upperBound)
  }

  @Test(arguments: texts) func aStreamOfUnknownLength(_ text: String) throws {
    let bytes = Array(text.utf8)
    for size in 1...bytes.count + 1 {
      let all = try lines(of: bytes, in: 0..<Int.max, from: 0, size: size, isStream: true)
      #expect(all.joined().elementsEqual(bytes))
    }
  }
}
