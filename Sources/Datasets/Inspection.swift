import Basics
import Files
import HDF5
import MPI

/// What rank 0 finds out about a file before all ranks read it.
struct Inspection {
  /// Never `auto`.
  let format: Source.Format
  /// Whether it is a gzip file.
  let isCompressed: Bool
  /// Its length in bytes, compressed if it is.
  let fileSize: Int
  /// Its first bytes, inflated: 64 KiB or one line that is not blank, whichever is more, or the whole file.
  let head: [UInt8]

  /// Rank 0 reads the head of the file and all get it. Collective.
  ///
  /// - Throws: a shared `Failure` where the file is not there, can't be read, or is empty.
  init(_ source: Source, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    var (numbers, head) = try ranks.agree { () -> ([Int], [UInt8]) in
      guard isRoot else { return ([], []) }
      let stream = try InputStream(source.path)
      guard stream.fileSize > 0 else {
        throw Failure(.badData, "\(source.path) is empty. Name a file with samples.")
      }
      let head = try Self.readHead(stream, path: source.path)
      let format = try Self.format(of: source, head: head, isCompressed: stream.isCompressed)
      let index = Source.Format.allCases.firstIndex(of: format) ?? 0
      return ([index, stream.isCompressed ? 1 : 0, stream.fileSize], head)
    }
    try ranks.broadcast(&numbers)
    try ranks.broadcast(&head)
    format = Source.Format.allCases[numbers[0]]
    isCompressed = numbers[1] == 1
    fileSize = numbers[2]
    self.head = head
  }

  private static func readHead(_ stream: InputStream, path: String) throws -> [UInt8] {
    var head: [UInt8] = []
    while true {
      let piece = try stream.bytes(1 << 16)
      head += piece
      let newline = UInt8(ascii: "\n")
      let hasLine =
        head.firstIndex { $0 != newline && !isBlank($0) }
        .map { head[$0...].contains(newline) } ?? false
      if piece.count < 1 << 16 || hasLine || !isText(head.prefix(1 << 16)) { return head }
      guard head.count < 64 << 20 else { throw longLine(path) }
    }
  }

  /// Text has no zero bytes; the other formats have some among their first.
  private static func isText(_ bytes: some Sequence<UInt8>) -> Bool { !bytes.contains(0) }

  private static func format(
    of source: Source, head: [UInt8], isCompressed: Bool
  ) throws -> Source.Format {
    let isHDF5 = head.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
    var format = source.format
    if format == .auto {
      var name = source.path.split(separator: "/").last?.lowercased() ?? ""
      if name.hasSuffix(".gz") { name.removeLast(3) }
      let ending = name.split(separator: ".", omittingEmptySubsequences: false).last ?? ""
      switch ending {
      case "csv", "tsv", "txt", "dat", "data": format = .csv
      case "h5", "hdf5", "he5": format = .hdf5
      case "idx": format = .idx
      default:
        if isHDF5 {
          format = .hdf5
        } else if name.hasSuffix("-ubyte") || name.contains("-idx") || IDXHeader.isLikely(head) {
          format = .idx
        } else {
          format = .csv
        }
      }
    }
    if format == .hdf5 && isCompressed {
      throw Failure(.badData, "\(source.path): a gzipped HDF5 file can't be read in parts. Unpack it first.")
    }
    if format == .hdf5 && !isHDF5 {
      throw Failure(
        .badData,
        "\(source.path) is not an HDF5 file: its first bytes are others. Copy it again, or set the format.")
    }
    // A byte order mark of UTF-16 has a message of its own.
    let isWide = head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
    if format == .csv && !isText(head) && !isWide {
      throw Failure(
        .badData, "\(source.path) is not a text file: it has a zero byte near its beginning. Set the format.")
    }
    return format
  }
}

/// The failure for a text without line ends.
func longLine(_ path: String) -> Failure {
  Failure(.badData, "\(path) has a line of more than 64 MiB. Is it a text file?")
}
