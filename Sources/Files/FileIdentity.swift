import Glibc

/// Which file a path leads to, however it is spelled, and through hard and symbolic links.
package struct FileIdentity: Hashable, Sendable {
  private let device: dev_t
  private let number: ino_t

  /// nil where the path leads to nothing. Local.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }

  /// That of an open file. Local.
  init?(descriptor: CInt) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }
}

/// Files that a command reads, which it must not write.
package struct KeptFiles: Sendable {
  private let paths: [String]

  package init(_ paths: [String] = []) { self.paths = paths }

  /// The one of them that a path leads to; nil where it is none. Local.
  package func path(sameAs path: String) -> String? {
    guard let identity = FileIdentity(path) else { return nil }
    return paths.first { FileIdentity($0) == identity }
  }
}

/// How many bytes can still be written to the file system of a directory; nil where it does not tell. Local.
package func freeBytes(in directory: String) -> Int? {
  var system = statvfs()
  guard statvfs(directory, &system) == 0, system.f_blocks > 0 else { return nil }
  let blocks = geteuid() == 0 ? system.f_bfree : system.f_bavail
  let (bytes, isTooMany) = Int(clamping: blocks).multipliedReportingOverflow(
    by: Int(clamping: system.f_frsize))
  return isTooMany ? nil : bytes
}
