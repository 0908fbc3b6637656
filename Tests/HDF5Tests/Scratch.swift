import Foundation
import MPI

/// Calls `body` with a fresh directory that all ranks see, and removes it when all are done. Collective.
func withScratch(
  _ ranks: borrowing Communicator, _ body: (borrowing Communicator, URL) throws -> Void
) throws {
  let own = FileManager.default.temporaryDirectory.appending(path: "hdf5-tests-\(UUID().uuidString)")
  let directory = URL(filePath: try ranks.broadcast(own.path))
  if ranks.isRoot {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }
  try ranks.barrier()
  try body(ranks, directory)
  try ranks.barrier()
  if ranks.isRoot { try FileManager.default.removeItem(at: directory) }
}
