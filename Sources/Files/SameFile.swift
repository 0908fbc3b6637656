import Basics
import MPI

/// Makes sure that all ranks find the same file under one path. Collective.
///
/// Each rank that opens a file by itself may have another node's copy of it. What is compared tells copies apart
/// without reading all of them: the length, and the SHA-256 of blocks from head to tail.
///
/// - Throws: a shared `Failure` that names the host with another file, or with none.
package func checkSameFile(_ path: String, over ranks: borrowing Communicator) throws {
  guard ranks.size > 1 else { return }
  let host = try ranks.hostName()
  let outcome = Result { try Fingerprint(path) }
  let first = try ranks.broadcast((try? outcome.get().text) ?? "")
  let firstHost = try ranks.broadcast(host)
  let isRoot = ranks.isRoot
  try ranks.agree {
    do {
      let own = try outcome.get()
      guard own.text != first else { return }
      throw Failure(
        .badData,
        "\(path) on \(host) (\(grouped(own.size)) bytes) is not the same file as on \(firstHost). Copy it to all "
          + "nodes again, or name a file in a directory that they share.")
    } catch let failure as Failure where failure.status != .badData && !isRoot {
      throw Failure(
        failure.status,
        "\(failure.message) This is so on \(host), and not on \(firstHost): every node must have the file.")
    }
  }
}

/// What tells a file from another that has its name.
package struct Fingerprint: Equatable {
  /// How many blocks are looked at from the first byte on, beside the last of the file.
  private static let blocks = 18
  /// Bytes a block.
  private static let blockSize = 4096

  package let size: Int
  /// The length and a digest.
  package let text: String

  /// Local; reads some 72 KiB.
  package init(_ path: String) throws {
    let file = try InputFile(path)
    var bytes: [UInt8] = []
    let last = max(file.size - Self.blockSize, 0)
    if last <= Self.blocks * Self.blockSize {
      bytes = try file.bytes(file.size)
    } else {
      for k in 0..<Self.blocks {
        bytes += try file.bytes(Self.blockSize, at: last / (Self.blocks - 1) * k)
      }
      bytes += try file.bytes(Self.blockSize, at: last)
    }
    size = file.size
    text = "\(file.size) \(sha256Hex(bytes))"
  }
}
