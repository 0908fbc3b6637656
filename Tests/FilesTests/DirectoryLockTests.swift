import Basics
import Files
import Foundation
import TestSupport
import Testing

@Suite struct DirectoryLockTests {
  private func message(_ directory: String) throws -> String {
    let failure = try #require(throws: Failure.self) {
      _ = try DirectoryLock.take(directory, host: "here", advice: "Choose another")
    }
    #expect(failure.status == .inputOutput)
    return failure.message
  }

  /// Another process holds the lock; the moment it is killed the directory is free.
  @Test(.enabled("no python3") { FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") })
  func anotherProcessIsNamedAndADeadOneHoldsNothing() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path(DirectoryLock.name)
    let other = Process()
    other.executableURL = URL(filePath: "/usr/bin/python3")
    other.arguments = [
      "-c",
      """
      import fcntl, sys, time
      file = open(sys.argv[1], "w")
      fcntl.lockf(file, fcntl.LOCK_EX)
      file.write("node17 4711\\n")
      file.flush()
      time.sleep(60)
      """, path,
    ]
    try other.run()
    let end = Date(timeIntervalSinceNow: 30)
    while (try? String(contentsOfFile: path, encoding: .utf8)) != "node17 4711\n" && Date() < end {
      usleep(10_000)
    }
    #expect(
      try message(directory.url.path)
        == "the directory \(directory.url.path) is in use by process 4711 on node17. "
        + "Choose another, or wait for its end."
    )
    kill(other.processIdentifier, SIGKILL)
    other.waitUntilExit()
    let lock = try DirectoryLock.take(directory.url.path, host: "here", advice: "Choose another")
    let content = try String(contentsOfFile: path, encoding: .utf8)
    #expect(content == "here \(getpid())\n")
    withExtendedLifetime(lock) {}
  }

  @Test func itsFileGoesWithIt() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path(DirectoryLock.name)
    do {
      let lock = try DirectoryLock.take(directory.url.path, host: "here", advice: "Choose another")
      withExtendedLifetime(lock) { #expect(FileManager.default.fileExists(atPath: path)) }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    let said = try message(directory.path("none"))
    #expect(said.contains("No such file or directory"))
  }

  @Test func aLinkInItsPlaceIsNotFollowed() throws {
    let directory = try TemporaryDirectory()
    let victim = directory.path("victim")
    try "mine".write(toFile: victim, atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(
      atPath: directory.path(DirectoryLock.name), withDestinationPath: victim)
    let said = try message(directory.url.path)
    #expect(said.contains("can't be written"))
    #expect(try String(contentsOfFile: victim, encoding: .utf8) == "mine")
  }
}
