import Foundation
import TestSupport
import Testing

/// Small file systems in memory, for full disks.
enum Disk {
  /// Whether this process may mount one.
  static let canMount: Bool = {
    guard geteuid() == 0, let directory = try? TemporaryDirectory() else { return false }
    let path = directory.url.path
    let isMounted =
      (try? Program.run(command: ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", path]))?.status == 0
    if isMounted { _ = try? Program.run(command: ["umount", path]) }
    return isMounted
  }()

  /// Calls `body` with the path of one of so many kilobytes.
  static func with(kilobytes: Int, _ body: (String) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    let path = directory.url.path
    let mount = ["mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", path]
    try #require(try Program.run(command: mount).status == 0)
    defer { _ = try? Program.run(command: ["umount", "--lazy", path]) }
    try body(path)
  }

  /// Writes a file until the disk is full. Removing it makes room again.
  static func fill(_ path: String) {
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    let bytes = [UInt8](repeating: 0, count: 512)
    while write(file, bytes, bytes.count) > 0 {}
    close(file)
  }
}
