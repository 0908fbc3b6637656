import Foundation
import MPI

/// Calls `body` on all ranks with a fresh directory that rank 0 has filled with `files`, by name and text.
public func withFiles<Result>(
  _ files: [String: String], _ body: (_ directory: String, borrowing Communicator) throws -> Result
) throws -> Result {
  try TestWorld.with { ranks in
    let own = try TemporaryDirectory()
    let directory = try ranks.broadcast(own.url.path)
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot else { return }
      for (name, text) in files { try text.write(toFile: own.path(name), atomically: true, encoding: .utf8) }
    }
    let result = try body(directory, ranks)
    try ranks.barrier()
    _ = own.url
    return result
  }
}
