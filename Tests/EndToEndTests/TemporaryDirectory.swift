import Foundation

/// A directory of a test's own, gone when nobody holds it any more.
final class TemporaryDirectory {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "admm-mpi-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// The path of `name` in here.
  func path(_ name: String) -> String {
    url.appending(path: name).path(percentEncoded: false)
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Data(text.utf8))
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: Data) throws -> String {
    try bytes.write(to: url.appending(path: name))
    return path(name)
  }

  /// What the file `name` holds; empty where there is none.
  func text(_ name: String) -> String {
    String(decoding: bytes(name), as: UTF8.self)
  }

  /// What the file `name` holds; empty where there is none.
  func bytes(_ name: String) -> Data {
    FileManager.default.contents(atPath: path(name)) ?? Data()
  }

  /// A new file to write to.
  func writing(_ name: String) throws -> FileHandle {
    try FileHandle(forWritingTo: URL(filePath: write(name, Data())))
  }
}
