import Basics
import Files
import Foundation
import HDF5
import MPI
import TestSupport
import Testing

/// What h5py finds in a file of ours.
private struct OurFile: Codable, Equatable {
  let x: [[Double]]
  let x_type: String
  let names: [String]
  let codes: [Int]
  let codes_type: String
  let title: String
  let version: Int
}

@Suite(.serialized, .enabled(if: Python.isAvailable, "\(Python.howToInstall)"))
struct PythonTests {
  @Test("h5py reads what all ranks wrote")
  func written() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let output = PendingFile(directory.appending(path: "ours.h5").path)
        let rows = ranks.rank * 7 / ranks.size..<(ranks.rank + 1) * 7 / ranks.size
        let own = rows.flatMap { [Float($0), Float($0) / 4] }
        try output.writeSealedHDF5(bytes: 0, over: ranks) { outline in
          let x = try outline.reserve("x", of: Float.self, shape: [7, 2])
          try outline.write(["plain", "Grün"], to: "names")
          try outline.write([Int32(-5)], to: "codes")
          try outline.setAttribute("title", "Grün")
          try outline.setAttribute("version", 3)
          return [x]
        } fill: { reserved, file in
          try own.withUnsafeBufferPointer { try reserved[0].write(rows, from: $0, to: file) }
        }
        guard ranks.isRoot else { return }
        let read: OurFile = try Python.run(
          program: """
            import h5py, json, sys
            with h5py.File(json.load(open(sys.argv[1]))[0]) as f:
              json.dump({"x": f["x"][:].tolist(), "x_type": str(f["x"].dtype),
                "names": f["names"].asstr()[:].tolist(), "codes": f["codes"][:].tolist(),
                "codes_type": str(f["codes"].dtype), "title": f.attrs["title"],
                "version": int(f.attrs["version"])}, open(sys.argv[2], "w"))
            """, input: [directory.appending(path: "ours.h5").path])
        #expect(
          read
            == OurFile(
              x: (0..<7).map { [Double($0), Double($0) / 4] }, x_type: "float32", names: ["plain", "Grün"],
              codes: [-5], codes_type: "int32", title: "Grün", version: 3))
      }
    }
  }

  @Test("All ranks read what h5py wrote: doubles, bytes, compressed chunks, both kinds of text, groups")
  func read() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        if ranks.isRoot {
          let _: Bool = try Python.run(
            program: """
              import h5py, json, sys, numpy as np
              x = np.arange(1000 * 5).reshape(1000, 5)
              with h5py.File(json.load(open(sys.argv[1]))[0], "w") as f:
                f["doubles"] = x / 8
                f["bytes"] = (x % 200).astype(np.uint8)
                f.create_dataset("train/chunks", data=x.astype(np.int16), chunks=(64, 2), compression="gzip")
                f["variable"] = ["ein", "zwei", "Grün"]
                f["fixed"] = np.array([b"a", b"bcd"])
                f["pairs"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])
                f.attrs["title"] = "Grün"
                f.attrs["fixed"] = np.bytes_("abc")
                f.attrs["version"] = np.int16(3)
              json.dump(True, open(sys.argv[2], "w"))
              """, input: [directory.appending(path: "theirs.h5").path])
        }
        try ranks.barrier()
        let file = try HDF5File(reading: directory.appending(path: "theirs.h5").path)
        let rows = ranks.rank * 1000 / ranks.size..<(ranks.rank + 1) * 1000 / ranks.size
        #expect(try read(file, "doubles", rows) == expected(rows) { Float($0) / 8 })
        #expect(try read(file, "bytes", rows) == expected(rows) { Float($0 % 200) })
        #expect(try read(file, "train/chunks", rows) == expected(rows) { Float($0) })
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
    _ file: borrowing HDF5File, _ name: String, _ rows: Range<Int>
  ) throws -> [Float] {
    var values = [Float](repeating: -1, count: rows.count * 6)
    let array = try file.array(name)
    #expect(array.shape == [1000, 5])
    try values.withUnsafeMutableBufferPointer { try array.read(rows, into: $0, stride: 6) }
    return values
  }

  private func expected(_ rows: Range<Int>, _ value: (Int) -> Float) -> [Float] {
    rows.flatMap { i -> [Float] in (0..<5).map { value(5 * i + $0) } + [-1] }
  }
}
