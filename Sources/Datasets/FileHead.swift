import Basics
import Files
import MPI

/// What all ranks know of a file before they read it.
package struct FileHead {
  let path: String
  /// Whether it is a gzip file.
  let isCompressed: Bool
  /// Its length in bytes, compressed if it is.
  let size: Int
  /// Its first bytes, inflated: 64 KiB or two lines that are not blank, whichever is more, or the whole file. Of a
  /// line that is very long its beginning may do as the second.
  let bytes: [UInt8]

  /// Bytes that are read at a time.
  private static let piece = 1 << 16

  /// Whether `bytes` are certain to be the whole file.
  var isWhole: Bool { bytes.count % Self.piece != 0 || !isCompressed && bytes.count == size }

  /// The last component of its path, in lower case and without ".gz".
  var nameWithoutGzip: String { Self.nameWithoutGzip(path) }

  private static func nameWithoutGzip(_ path: String) -> String {
    let name = path.split(separator: "/").last?.lowercased() ?? ""
    return name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
  }

  /// Rank 0 reads the head of the file and all get it; of a plain file all make sure that they have the same.
  /// Collective.
  ///
  /// - Throws: a shared `Failure` where the file is not there, can't be read, is empty, of a kind that can't be read,
  ///   or not the same on all nodes.
  init(_ path: String, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    var (numbers, bytes) = try ranks.agree { () -> ([Int], [UInt8]) in
      guard isRoot else { return ([], []) }
      let stream = try InputStream(path)
      guard stream.fileSize > 0 else {
        throw Failure(.badData, "\(path) is empty. Name a file with samples.")
      }
      let head = try Self.read(stream, path: path)
      if let foreign = ForeignFile(head, name: Self.nameWithoutGzip(path)) { throw foreign.refusal(path) }
      return ([stream.isCompressed ? 1 : 0, stream.fileSize], head)
    }
    try ranks.broadcast(&numbers)
    try ranks.broadcast(&bytes)
    self.path = path
    isCompressed = numbers[0] == 1
    size = numbers[1]
    self.bytes = bytes
    // Of a compressed file rank 0 reads all.
    if !isCompressed { try checkSameFile(path, over: ranks) }
  }

  private static func read(_ stream: InputStream, path: String) throws -> [UInt8] {
    var head: [UInt8] = []
    var lines = 0
    var isBlankSoFar = true
    while true {
      let bytes = try stream.bytes(piece)
      for byte in bytes {
        if byte == UInt8(ascii: "\n") {
          lines += isBlankSoFar ? 0 : 1
          isBlankSoFar = true
        } else if !isBlank(byte) {
          isBlankSoFar = false
        }
      }
      head += bytes
      if bytes.count < piece || lines >= 2 || !isText(head.prefix(piece)) { return head }
      guard head.count < 64 << 20 else {
        if lines > 0 { return head }
        throw longLine(path)
      }
    }
  }
}

/// Text has no zero bytes; other formats have some among their first.
func isText(_ bytes: some Sequence<UInt8>) -> Bool { !bytes.contains(0) }

/// The failure for a text without line ends.
func longLine(_ path: String) -> Failure {
  Failure(.badData, "\(path) has a line of more than 64 MiB. Is it a text file?")
}
