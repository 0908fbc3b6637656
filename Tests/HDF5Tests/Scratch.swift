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

/// The project's own Python, with NumPy and h5py.
enum Python {
  private static let interpreter = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../.venv/bin/python3").standardized.path

  static let isThere = FileManager.default.isExecutableFile(atPath: interpreter)

  /// Runs a script in `directory`; returns what it printed.
  static func run(_ script: String, in directory: URL) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: interpreter)
    process.arguments = ["-c", script]
    process.currentDirectoryURL = directory
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(.inputOutput, "Python ended with \(process.terminationStatus)")
    }
    return String(decoding: printed, as: UTF8.self)
  }
}
