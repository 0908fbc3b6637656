import Basics
import Files
import HDF5
import MPI
import TestSupport
import Testing

/// The rows of this rank: consecutive, uneven, and none on the last of several ranks.
private func ownRows(of count: Int, _ ranks: borrowing Communicator, reversed: Bool = false) -> Range<Int> {
  let workers = max(ranks.size - 1, 1)
  let place = reversed ? ranks.size - 1 - ranks.rank : ranks.rank
  return min(place * count / workers, count)..<min((place + 1) * count / workers, count)
}

/// What stands at (i, j): small whole numbers, which every type of number holds.
private func entry(_ i: Int, _ j: Int) -> Int { (7 * i + 3 * j) % 101 - 50 }

@Suite(.serialized) struct RowsTests {
  private static let N = 11
  private static let d = 3

  private func roundTrip<T: Number & Equatable>(_: T.Type, pieceBytes: Int, _ number: (Int) -> T) throws {
    let (N, d) = (Self.N, Self.d)
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let path = directory.appending(path: "rows.h5").path
        let rows = ownRows(of: N, ranks)
        // Columns of d + 1 entries, the last of which does not belong to the array.
        let written = rows.flatMap { i -> [T] in (0..<d).map { number(entry(i, $0)) } + [number(99)] }
        try PendingFile(path).writeSealedHDF5(bytes: 0, over: ranks) { outline in
          try outline.write(["before"], to: "names")
          return [try outline.reserve("x", of: T.self, shape: [N, d])]
        } fill: { reserved, file in
          try written.withUnsafeBufferPointer {
            try reserved[0].write(rows, from: $0, stride: d + 1, to: file)
          }
        }

        let again = try HDF5File(reading: path)
        var stored = try again.array("x")
        stored.pieceBytes = pieceBytes
        #expect(stored.shape == [N, d])
        let other = ownRows(of: N, ranks, reversed: true)
        var columns = [Float](repeating: -1, count: other.count * (d + 1))
        try columns.withUnsafeMutableBufferPointer { try stored.read(other, into: $0, stride: d + 1) }
        let expected = other.flatMap { i -> [Float] in (0..<d).map { Float(entry(i, $0)) } + [-1] }
        #expect(columns == expected)

        // Packed, and the whole array.
        let some: [Float] = try stored.values(4..<6)
        #expect(some == (4..<6).flatMap { i -> [Float] in (0..<d).map { Float(entry(i, $0)) } })
        #expect(
          try stored.values() == (0..<N).flatMap { i -> [T] in (0..<d).map { number(entry(i, $0)) } })
        try again.close()
      }
    }
  }

  @Test(
    "Rows come back as they were written, by other ranks, in one piece and in many", arguments: [1 << 26, 20])
  func rows(pieceBytes: Int) throws {
    try roundTrip(Float.self, pieceBytes: pieceBytes) { Float($0) }
    try roundTrip(Double.self, pieceBytes: pieceBytes) { Double($0) }
    try roundTrip(Int32.self, pieceBytes: pieceBytes) { Int32($0) }
    try roundTrip(Int64.self, pieceBytes: pieceBytes) { Int64($0) }
  }

  @Test("Rows of three dimensions, lists, single values and empty arrays")
  func shapes() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let path = directory.appending(path: "shapes.h5").path
        let file = try HDF5File(creating: ranks.isRoot ? path : path + "\(ranks.rank)")
        try file.write((0..<24).map { Double($0) }, to: "images", shape: [4, 2, 3])
        try file.write([Int64.max, -1], to: "list")
        try file.write([Float(0.1)], to: "single", shape: [])
        try file.write([Float](), to: "nothing", shape: [0, 5])
        try file.close()
        try ranks.barrier()

        let again = try HDF5File(reading: path)
        #expect(try again.names() == ["images", "list", "nothing", "single"])
        let images = try again.array("images")
        #expect(images.rowCount == 4 && images.rowLength == 6 && images.elements == .float)
        let rows = ownRows(of: 4, ranks)
        var own = [Float](repeating: -1, count: rows.count * 6)
        try own.withUnsafeMutableBufferPointer { try images.read(rows, into: $0) }
        #expect(own == rows.flatMap { i -> [Float] in (0..<6).map { Float(6 * i + $0) } })
        let list = try again.array("list")
        #expect(list.elements == .integer && list.shape == [2])
        #expect(try list.values(as: Int64.self) == [Int64.max, -1])
        let single = try again.array("single")
        #expect(single.shape.isEmpty && single.count == 1)
        #expect(try single.values() == [Float(0.1)])
        let nothing = try again.array("nothing")
        #expect(nothing.shape == [0, 5])
        try nothing.read(0..<0, into: UnsafeMutableBufferPointer<Float>(start: nil, count: 0))
        #expect(try nothing.values(as: Float.self).isEmpty)
        try again.close()
      }
    }
  }

  @Test("Texts and attributes come back, written by all ranks and by one")
  func texts() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let names = ["Äpfel", "", "a longer name", "b"]
        func fill(_ file: borrowing HDF5File) throws {
          try file.write(names, to: "names")
          try file.write([String](), to: "none")
          try file.setAttribute("title", "naïve – text")
          try file.setAttribute("version", 3)
          try file.setAttribute("rate", 0.1)
        }
        func inspect(_ file: borrowing HDF5File) throws {
          let stored = try file.array("names")
          #expect(stored.elements == .string)
          #expect(try stored.strings() == names)
          #expect(try file.array("none").strings().isEmpty)
          #expect(try file.attribute("title") == "naïve – text")
          #expect(try file.attribute("version", as: Int.self) == 3)
          #expect(try file.attribute("rate", as: Double.self) == 0.1)
          #expect(try file.attribute("absent") == nil)
          #expect(throws: Failure.self) { try file.attribute("version") }
          #expect(throws: Failure.self) { try file.attribute("title", as: Int.self) }
        }
        let together = directory.appending(path: "together.h5").path
        try PendingFile(together).writeSealedHDF5(bytes: 0, over: ranks) { outline in
          try fill(outline)
          return []
        } fill: { _, _ in
        }
        let own = directory.appending(path: "own-\(ranks.rank).h5").path
        let alone = try HDF5File(creating: own)
        try fill(alone)
        try alone.close()
        for path in [together, own] {
          let again = try HDF5File(reading: path)
          try inspect(again)
          try again.close()
        }
        let again = try HDF5File(reading: together)
        let copy = try HDF5File(broadcasting: together, over: ranks)
        try inspect(again)
        try inspect(copy)
        try again.close()
        try copy.close()
      }
    }
  }
}
