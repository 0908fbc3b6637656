import Basics
import Files
import Foundation
import HDF5
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct FailureTests {
  /// The failure of `body`, which all ranks must have alike; its message without the directory.
  private func failure(
    _ ranks: borrowing Communicator, _ directory: URL, _ body: (borrowing Communicator) throws -> Void
  ) throws -> (status: Basics.ExitStatus, message: String)? {
    do {
      try body(ranks)
    } catch let failure as Failure {
      let messages = try ranks.gather(failure.message)
      #expect(failure.isShared && messages.allSatisfy { $0 == messages[0] })
      return (failure.status, messages[0].replacing(directory.path + "/", with: ""))
    }
    return nil
  }

  private func opening(
    _ path: String, _ ranks: borrowing Communicator, _ directory: URL
  ) throws -> (status: Basics.ExitStatus, message: String)? {
    try failure(ranks, directory) { ranks in try ranks.agree { try HDF5File(reading: path).close() } }
  }

  @Test("Files that can't be opened are refused by name, on all ranks alike")
  func files() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        func path(_ name: String) -> String { directory.appending(path: name).path }
        if ranks.isRoot {
          let whole = try HDF5File(creating: path("whole.h5"))
          try whole.write([Double](repeating: 1, count: 1000), to: "x")
          try whole.close()
          let bytes = try Data(contentsOf: URL(filePath: path("whole.h5")))
          try bytes.prefix(bytes.count / 2).write(to: URL(filePath: path("cut.h5")))
          try Data("a,b\n1,2\n".utf8).write(to: URL(filePath: path("text.h5")))
          try Data().write(to: URL(filePath: path("empty.h5")))
        }
        try ranks.barrier()
        let missing = try #require(try opening(path("missing.h5"), ranks, directory))
        #expect(missing.status == .noInput)
        #expect(missing.message == "missing.h5: there is no such file. Check the path.")
        let cut = try #require(try opening(path("cut.h5"), ranks, directory))
        #expect(cut.status == .badData)
        #expect(
          cut.message == "cut.h5 is truncated: it ends before its contents do. Copy or download it again.")
        for name in ["text.h5", "empty.h5"] {
          let refused = try #require(try opening(path(name), ranks, directory))
          #expect(refused.status == .badData)
          #expect(refused.message == "\(name) is not an HDF5 file. Check the name, or copy it again.")
        }
        for name in ["missing.h5", "cut.h5", "text.h5", "empty.h5", "."] {
          let refused = try failure(ranks, directory) { ranks in
            try HDF5File(broadcasting: path(name), over: ranks).close()
          }
          #expect(refused?.status == (name == "missing.h5" || name == "." ? .noInput : .badData))
        }
        // One rank alone.
        #expect(throws: Failure.self) { try HDF5File(reading: path("cut.h5")).close() }
        #expect(throws: Failure.self) { try HDF5File(reading: path("missing.h5")).close() }
        #expect(throws: Failure.self) { try HDF5File(creating: path("no/such/file.h5")).close() }
      }
    }
  }

  @Test("Ranks that can't write their rows all say so")
  func fullDiskTogether() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let N = 1 << 18
        let rows = ranks.rank * N / ranks.size..<(ranks.rank + 1) * N / ranks.size
        let values = [Double](repeating: 1, count: rows.count)
        let refused = try #require(
          try failure(ranks, directory) { ranks in
            try PendingFile(directory.appending(path: "full.h5").path).writeSealedHDF5(bytes: 0, over: ranks) {
              [try $0.reserve("x", of: Double.self, shape: [N])]
            } fill: { reserved, file in
              // The last rank's rows lie behind the end of the disk, whoever else's do.
              try withFullDisk(after: 8 * N - 4096) {
                try values.withUnsafeBufferPointer { try reserved[0].write(rows, from: $0, to: file) }
              }
            }
          })
        #expect(refused.status == .inputOutput && !hasUnwrittenFile)
        #expect(refused.message == "full.h5 can't be written: File too large.")
        try ranks.barrier()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
      }
    }
  }

  @Test("Missing and unsuitable arrays are refused by name, on all ranks alike")
  func arrays() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        let path = directory.appending(path: "arrays.h5").path
        if ranks.isRoot {
          let written = try HDF5File(creating: path)
          try written.write([1, 2, 3], to: "numbers")
          try written.write(["a", "b"], to: "names")
          try written.close()
        }
        try ranks.barrier()

        let file = try HDF5File(broadcasting: path, over: ranks)
        let missing = try #require(
          try failure(ranks, directory) { _ in _ = try file.array("features").shape })
        #expect(missing.status == .badData)
        #expect(
          missing.message
            == "arrays.h5: there is no dataset 'features'; the file has 'names', 'numbers'.")
        let text = try #require(
          try failure(ranks, directory) { _ in _ = try file.array("names").values(as: Float.self) })
        #expect(text.message == "arrays.h5: dataset 'names' holds text; numbers are needed.")
        let numbers = try #require(
          try failure(ranks, directory) { _ in _ = try file.array("numbers").strings() })
        #expect(numbers.message == "arrays.h5: dataset 'numbers' holds numbers; text is needed.")
        #expect(try !file.contains("no/such/group"))
        try file.close()
      }
    }
  }

  @Test("A file that can't grow is an error, not a silent loss")
  func fullDisk() throws {
    try TestWorld.with { ranks in
      try withScratch(ranks) { ranks, directory in
        guard ranks.isRoot else { return }
        let path = directory.appending(path: "full.h5").path
        let failure = #expect(throws: Failure.self) {
          try withFullDisk(after: 4096) {
            let file = try HDF5File(creating: path)
            try file.write([Double](repeating: 1, count: 100_000), to: "x")
            try file.close()
          }
        }
        #expect(failure?.status == .inputOutput)
        #expect(failure?.message == "\(path) can't be written: File too large.")
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(left.isEmpty)
      }
    }
  }
}
