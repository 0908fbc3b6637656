import Foundation
import HDF5
import MPI
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: Python.isThere, "needs the project's Python: make venv"))
struct PythonTests {
  @Test("h5py reads what all ranks wrote")
  func written() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let file = try File(creating: directory.appending(path: "ours.h5").path, over: ranks)
        let array = try file.create("x", of: Float.self, shape: [7, 2])
        let rows = ranks.rank * 7 / ranks.size..<(ranks.rank + 1) * 7 / ranks.size
        let own = rows.flatMap { [Float($0), Float($0) / 4] }
        try own.withUnsafeBufferPointer { try array.write(rows, from: $0, over: ranks) }
        try file.write(["plain", "Grün"], to: "names")
        try file.write([Int32(-5)], to: "codes")
        try file.setAttribute("title", "Grün")
        try file.setAttribute("version", 3)
        try file.close()
        guard ranks.isRoot else { return }
        let printed = try Python.run(
          """
          import h5py, json
          with h5py.File("ours.h5") as f:
            print(json.dumps([f["x"][:].tolist(), str(f["x"].dtype), f["names"].asstr()[:].tolist(),
              f["codes"][:].tolist(), str(f["codes"].dtype), f.attrs["title"], int(f.attrs["version"])]))
          """, in: directory)
        #expect(
          printed.trimmingCharacters(in: .newlines) == """
            [[[0.0, 0.0], [1.0, 0.25], [2.0, 0.5], [3.0, 0.75], [4.0, 1.0], [5.0, 1.25], [6.0, 1.5]], "float32", \
            ["plain", "Gr\\u00fcn"], [-5], "int32", "Gr\\u00fcn", 3]
            """)
      }
    }
  }

  @Test("All ranks read what h5py wrote: doubles, bytes, compressed chunks, both kinds of text, groups")
  func read() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        if ranks.isRoot {
          _ = try Python.run(
            """
            import h5py, numpy as np
            x = np.arange(1000 * 5).reshape(1000, 5)
            with h5py.File("theirs.h5", "w") as f:
              f["doubles"] = x / 8
              f["bytes"] = (x % 200).astype(np.uint8)
              f.create_dataset("train/chunks", data=x.astype(np.int16), chunks=(64, 2), compression="gzip")
              f["variable"] = ["ein", "zwei", "Grün"]
              f["fixed"] = np.array([b"a", b"bcd"])
              f["pairs"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])
              f.attrs["title"] = "Grün"
              f.attrs["fixed"] = np.bytes_("abc")
              f.attrs["version"] = np.int16(3)
            """, in: directory)
        }
        try ranks.barrier()
        let file = try File(reading: directory.appending(path: "theirs.h5").path, over: ranks)
        let rows = ranks.rank * 1000 / ranks.size..<(ranks.rank + 1) * 1000 / ranks.size
        #expect(try read(file, "doubles", rows, ranks) == expected(rows) { Float($0) / 8 })
        #expect(try read(file, "bytes", rows, ranks) == expected(rows) { Float($0 % 200) })
        #expect(try read(file, "train/chunks", rows, ranks) == expected(rows) { Float($0) })
        #expect(try file.array("variable").strings() == ["ein", "zwei", "Grün"])
        #expect(try file.array("fixed").strings() == ["a", "bcd"])
        #expect(try file.attribute("title") == "Grün")
        #expect(try file.attribute("fixed") == "abc")
        #expect(try file.attribute("version", as: Int.self) == 3)
        #expect(throws: Failure.self) { try file.array("pairs").values(as: Float.self) }
        #expect(throws: Failure.self) { _ = try file.array("train").shape }
        try file.close()
      }
    }
  }

  /// Rows of 5 in columns of 6.
  private func read(
    _ file: borrowing File, _ name: String, _ rows: Range<Int>, _ ranks: borrowing Communicator
  ) throws -> [Float] {
    var values = [Float](repeating: -1, count: rows.count * 6)
    let array = try file.array(name)
    #expect(array.shape == [1000, 5])
    try values.withUnsafeMutableBufferPointer { try array.read(rows, into: $0, stride: 6, over: ranks) }
    return values
  }

  private func expected(_ rows: Range<Int>, _ value: (Int) -> Float) -> [Float] {
    rows.flatMap { i -> [Float] in (0..<5).map { value(5 * i + $0) } + [-1] }
  }
}
