import Basics
import Files
import HDF5

/// What stands before the HDF5 part of a model's file: a text with the length and the SHA-256 of all that follows.
///
/// HDF5 skips such a block of 512 bytes (a "user block"), as h5py does. A model is read only if the checksum holds:
/// HDF5 itself is asked nothing before, since damaged files can crash it.
enum ModelSeal {
  static let length = 512
  private static let title = "admm-mpi model, sealed"
  /// Without a seal nothing says how large a file may be.
  private static let largestUnsealed = 1 << 30

  /// HDF5's bytes with the seal before them.
  static func close(_ content: [UInt8]) -> [UInt8] { head(of: content) + content }

  private static func head(of content: [UInt8]) -> [UInt8] {
    let line = "\(title)\nbytes \(content.count)\nsha256 \(sha256Hex(content))\n"
    return Array(line.utf8) + [UInt8](repeating: 0, count: length - line.utf8.count)
  }

  /// HDF5's bytes in a model's file, and whether they were sealed: models of format 1 are not. Local.
  ///
  /// - Throws: a `Failure`: `noInput` where it can't be opened, `badData` where it is no model or a damaged one.
  static func open(_ path: String) throws -> (content: [UInt8], isSealed: Bool) {
    let file = try InputFile(path)
    let head = try file.bytes(2 * length)
    if hasHDF5Signature(Array(head.prefix(length))) {
      guard file.size <= largestUnsealed else {
        throw Failure(.badData, "\(path) is not a model: models of this size have a checksum. \(advice)")
      }
      return (try file.bytes(file.size), false)
    }
    guard head.starts(with: title.utf8) || hasHDF5Signature(head) else {
      throw Failure(.badData, "\(path) is not a model but \(kind(of: head)). \(advice)")
    }
    let bytes = try file.bytes(file.size)
    let content = Array(bytes.dropFirst(length))
    guard bytes.prefix(length).elementsEqual(Self.head(of: content)) else {
      throw Failure(
        .badData,
        "\(path) is damaged: it is not as it was written, as its checksum shows. Copy it again, or train again."
      )
    }
    return (content, true)
  }

  private static let advice = "Name the model.h5 that a run leaves."

  private static func kind(of head: [UInt8]) -> String {
    guard !head.isEmpty else { return "an empty file" }
    // Text has no control characters before the tab.
    guard !head.contains(where: { $0 < 9 }) else { return "something else" }
    switch head.first(where: { $0 > UInt8(ascii: " ") }) {
    case UInt8(ascii: "{"): return "JSON text"
    case UInt8(ascii: "["): return "a text, such as a configuration"
    default: return "a text, such as a table or a configuration"
    }
  }
}
