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

/// A gzip file of one member with stored, not compressed, blocks (RFC 1951, RFC 1952).
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var crc: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  func littleEndian(_ x: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: x >> (8 * $0)) }
  }
  var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  let size = 65_535
  for start in stride(from: 0, to: max(bytes.count, 1), by: size) {
    let block = bytes[start..<min(start + size, bytes.count)]
    file.append(start + size >= bytes.count ? 1 : 0)
    file += littleEndian(block.count, 2) + littleEndian(~block.count, 2) + block
  }
  return file + littleEndian(Int(~crc), 4) + littleEndian(bytes.count, 4)
}

func gzip(_ text: String) -> [UInt8] { gzip(Array(text.utf8)) }
