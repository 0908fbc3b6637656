import Glibc

/// What `PendingFile` calls a file that is not whole yet.
enum UnfinishedFile {
  private static let start = ".admm-mpi-"
  private static let end = ".part"

  static func name(_ number: UInt64) -> String { start + String(number, radix: 16) + end }

  static func isName(_ name: String) -> Bool {
    name.hasPrefix(start) && name.hasSuffix(end)
      && UInt64(name.dropFirst(start.count).dropLast(end.count), radix: 16) != nil
  }
}

/// Removes the files of a directory that a process was writing when it was killed. Local.
///
/// A writer holds the lock of its file until that has its name, and a lock ends with its process. So what is not locked
/// has no writer, and what is locked stays. Where the file system has no locks, nothing is removed. Some file systems
/// keep locks from other hosts: call this of a directory that is this job's own.
func removeUnfinishedFiles(in directory: String) {
  for name in names(in: directory) ?? [] where UnfinishedFile.isName(name) {
    let path = directory + "/" + name
    let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { continue }
    defer { close(descriptor) }
    // A writer that has made its file and not locked it yet finds that it is gone, and makes another.
    if locked(descriptor, openFileLock) == .taken { unlink(path) }
  }
}

/// The names in a directory, in any order; nil where it can't be read, and `errno` then says why. Local.
package func names(in directory: String) -> [String]? {
  guard let stream = opendir(directory) else { return nil }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names
}
