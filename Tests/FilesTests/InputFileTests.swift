import Basics
import Files
import Foundation
import TestSupport
import Testing

@Suite struct InputFileTests {
  private func failure(_ body: () throws -> Void) throws -> (status: Basics.ExitStatus, message: String) {
    let failure = try #require(throws: Failure.self, performing: body)
    return (failure.status, failure.message)
  }

  @Test func bytesOfAnyPlace() throws {
    let directory = try TemporaryDirectory()
    try Data(0..<200).write(to: URL(filePath: directory.path("a")))
    let file = try InputFile(directory.path("a"))
    #expect(file.size == 200)
    #expect(try file.bytes(3) == [0, 1, 2] && file.bytes(1000) == Array(0..<200))
    var piece = [UInt8](repeating: 0, count: 10)
    let count = try piece.withUnsafeMutableBufferPointer { try file.read($0, at: 195) }
    #expect(count == 5 && piece == [195, 196, 197, 198, 199, 0, 0, 0, 0, 0])
  }

  @Test func whatCannotBeRead() throws {
    let directory = try TemporaryDirectory()
    let (none, itself) = (directory.path("none"), directory.url.path)
    for refused in [
      try failure { _ = try InputFile(none).size }, try failure { _ = try contents(of: none) },
    ] {
      #expect(refused == (.noInput, "\(none): there is no such file. Check the path."))
    }
    for refused in [
      try failure { _ = try InputFile(itself).size }, try failure { _ = try contents(of: itself) },
    ] {
      #expect(refused == (.noInput, "\(itself) is not a file but a directory. Name a file in it."))
    }
    for refused in [
      try failure { _ = try InputFile("/dev/zero").size }, try failure { _ = try contents(of: "/dev/zero") },
    ] {
      #expect(refused == (.noInput, "/dev/zero is not a file but a device or a socket. Name a file."))
    }
    try Data("a".utf8).write(to: URL(filePath: directory.path("plain")))
    for path in ["\0", "\0zzz"].map({ directory.path("plain") + $0 }) {
      #expect(try failure { _ = try InputFile(path).size }.message.contains("it has a zero byte"))
      #expect(try failure { _ = try contents(of: path) }.status == .noInput)
    }
    try Data([0xFF, 0xFE, 0x41]).write(to: URL(filePath: directory.path("wide")))
    #expect(
      try failure { _ = try contents(of: directory.path("wide")) }
        == (.badConfiguration, "\(directory.path("wide")) is not UTF-8 text."))
  }

  /// A pipe has no length, and a file of /proc says that it is empty.
  @Test func whatHasNoLength() throws {
    #expect(try contents(of: "/proc/self/status").contains("Cpus_allowed_list"))
    let directory = try TemporaryDirectory()
    let path = directory.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    let text = String(repeating: "Ä", count: 60_000)
    let writer = Thread { try? text.write(toFile: path, atomically: false, encoding: .utf8) }
    writer.start()
    #expect(try contents(of: path) == text)
  }

  /// Nobody waits for a pipe that nobody writes into, and what never ends is not read to its end.
  @Test func whatNeverEnds() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    #expect(
      try failure { _ = try InputFile(path).size }
        == (
          .noInput,
          "\(path) is not a file but a pipe, which can't be read in parts. Write what comes from it to a file, and "
            + "name that."
        ))
    #expect(
      try failure { _ = try bytes(of: path, patience: 0.1) }.message.hasPrefix(
        "\(path) is a pipe that has given"))
    try Data(count: 2 << 20).write(to: URL(filePath: directory.path("long")))
    #expect(
      try failure { _ = try bytes(of: directory.path("long"), limit: 1 << 20) }
        == (
          .badConfiguration,
          "\(directory.path("long")) is longer than 1 MiB. Is it the file that you meant?"
        ))
  }
}
