import Basics
import MPI

/// A checksum at the end of a file that all ranks write: by it every flipped bit and every missing byte is found before
/// anything else reads the file.
///
/// After the contents come the SHA-256 of each of their blocks, and a last line with their length and the SHA-256 of
/// all that. Ranks share the blocks, when it is made and when it is checked. What reads HDF5 does not look beyond its
/// end.
package enum Seal {
  /// Bytes of a block.
  private static let block = 1 << 20
  private static let digestBytes = 32
  /// The last line has so many bytes.
  private static let footerBytes = 128
  private static let title = "admm-mpi seal 1"

  /// Adds the seal to a file that is otherwise whole. Collective.
  ///
  /// - Parameter file: open on all ranks.
  /// - Throws: a shared `Failure` of status `inputOutput`.
  package static func add(to file: OutputFile, over ranks: borrowing Communicator) throws {
    // What other hosts wrote is then to be seen on this one.
    try ranks.agree { try file.sync() }
    let isRoot = ranks.isRoot
    var length = [try ranks.agree { isRoot ? try InputFile(file.path).size : 0 }]
    try ranks.broadcast(&length)
    let table = try digests(of: file.path, bytes: length[0], over: ranks)
    try ranks.agree {
      guard isRoot else { return }
      let end = table + footer(table, bytes: length[0])
      try end.withUnsafeBytes { try file.write($0, at: length[0]) }
    }
  }

  /// Makes sure that a file is as it was written. Collective; reads all of it once.
  ///
  /// - Throws: a shared `Failure`: `badData` where it is not, `noInput` where it can't be opened.
  package static func check(_ path: String, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    var (length, table) = try ranks.agree { isRoot ? try end(of: path) : ([0], []) }
    try ranks.broadcast(&length)
    try ranks.broadcast(&table)
    let found = try digests(of: path, bytes: length[0], over: ranks)
    guard let bad = zip(found, table).enumerated().first(where: { $1.0 != $1.1 })?.offset else { return }
    let first = bad / digestBytes * block
    throw damage(path, "bytes \(first) to \(min(first + block, length[0]) - 1) are not", isShared: true)
  }

  /// The length of the contents and their table, which agree with the last line. Local.
  private static func end(of path: String) throws -> (length: [Int], table: [UInt8]) {
    let file = try InputFile(path)
    guard file.size >= footerBytes else { throw damage(path, "its end is missing") }
    let last = try file.bytes(footerBytes, at: file.size - footerBytes)
    let words = String(decoding: last, as: UTF8.self).split { $0 == " " || $0 == "\n" }
    guard words.count >= 6, let length = Int(words[4]), length >= 0, length < file.size else {
      throw damage(path, "its last line is not")
    }
    let bytes = blocks(length) * digestBytes
    guard file.size == length + bytes + footerBytes else { throw damage(path, "its length is not") }
    let table = try file.bytes(bytes, at: length)
    guard last == footer(table, bytes: length) else { throw damage(path, "its checksums are not") }
    return ([length], table)
  }

  private static func footer(_ table: [UInt8], bytes: Int) -> [UInt8] {
    let head = "\(title) bytes \(bytes) "
    let line = Array((head + sha256Hex(Array(head.utf8) + table)).utf8)
    return line + [UInt8](repeating: UInt8(ascii: " "), count: footerBytes - 1 - line.count) + [UInt8(ascii: "\n")]
  }

  /// The SHA-256 of each block. Collective; each rank takes every P-th.
  private static func digests(
    of path: String, bytes: Int, over ranks: borrowing Communicator
  ) throws -> [UInt8] {
    let (rank, size) = (ranks.rank, ranks.size)
    let own = try ranks.agree { () -> [UInt8] in
      let file = try InputFile(path)
      var own: [UInt8] = []
      for k in stride(from: rank, to: blocks(bytes), by: size) {
        own += sha256(try file.bytes(min(block, bytes - k * block), at: k * block))
      }
      return own
    }
    let all = try ranks.gather(own)
    var table: [UInt8] = []
    for k in 0..<blocks(bytes) {
      let first = k / size * digestBytes
      table += all[k % size][first..<first + digestBytes]
    }
    return table
  }

  private static func blocks(_ bytes: Int) -> Int { (bytes + block - 1) / block }

  private static func damage(_ path: String, _ what: String, isShared: Bool = false) -> Failure {
    Failure(.badData, "\(path) is damaged: \(what) as they were written.", isShared: isShared)
  }
}
