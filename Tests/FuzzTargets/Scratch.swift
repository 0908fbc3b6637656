import Files
import Glibc
import MPI

/// A directory for the files of inputs, in memory where the system has a place for that. Rank 0 writes, all read.
package struct Scratch: Sendable {
  package let directory: String

  /// Makes a fresh directory. Collective.
  package init(over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    directory = try ranks.broadcast(
      try ranks.agree {
        guard isRoot else { return "" }
        let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(place)/admm-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw systemFailure("\(place) can't be written") }
        return template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
      })
  }

  /// The path of a file in it.
  package func path(_ name: String) -> String { directory + "/" + name }

  /// Has rank 0 write a file. Collective. Returns its path.
  package func write(_ name: String, _ bytes: [UInt8], over ranks: borrowing Communicator) throws -> String {
    let (path, isRoot) = (path(name), ranks.isRoot)
    try ranks.agree {
      guard isRoot else { return }
      let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      defer { close(descriptor) }
      guard descriptor >= 0, bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
        throw systemFailure("\(path) can't be written")
      }
    }
    return path
  }

  /// Removes a file; rank 0's work.
  package func remove(_ name: String, over ranks: borrowing Communicator) {
    if ranks.isRoot { unlink(path(name)) }
  }

  /// Removes it with the files in it. Collective.
  package func remove(over ranks: borrowing Communicator) throws {
    try ranks.barrier()
    guard ranks.isRoot, let stream = opendir(directory) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      unlink(path(name))
    }
    closedir(stream)
    rmdir(directory)
  }
}
