import Files
import Foundation
import MPI
import TestSupport

/// Files that rank 0 writes for one test, in a directory that goes when the test ends.
struct TemporaryFiles {
  let directory: String

  /// Calls `body` on all ranks with a fresh directory that all see.
  static func with(_ body: (TemporaryFiles, borrowing Communicator) throws -> Void) throws {
    try TestWorld.with { ranks in
      var path = ""
      if ranks.isRoot {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("admm-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
      }
      let directory = try ranks.broadcast(path)
      let outcome = Result { try body(TemporaryFiles(directory: directory), ranks) }
      try ranks.barrier()
      if ranks.isRoot { try FileManager.default.removeItem(atPath: directory) }
      try outcome.get()
    }
  }

  /// Writes a file on rank 0; collective. Returns its path.
  func write(_ name: String, _ bytes: [UInt8], over ranks: borrowing Communicator) throws -> String {
    let path = directory + "/" + name
    if ranks.isRoot { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    try ranks.barrier()
    return path
  }

  func write(_ name: String, _ text: String, over ranks: borrowing Communicator) throws -> String {
    try write(name, Array(text.utf8), over: ranks)
  }
}

func gzip(_ text: String) -> [UInt8] { gzip(Array(text.utf8)) }
