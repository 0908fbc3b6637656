import Basics
import Files
import Foundation
import MPI
import Runs
import TestSupport
import Testing

/// Calls `body` on all ranks with the path of one fresh directory.
private func withDirectory(_ body: (String, borrowing Communicator) throws -> Void) throws {
  try TestWorld.with { ranks in
    let own = try TemporaryDirectory()
    let path = try ranks.broadcast(own.url.path)
    try body(path, ranks)
    try ranks.barrier()
    _ = own.url
  }
}

/// What `body` throws, which must be a failure to read or write that all ranks share.
private func message(_ body: () throws -> Void) throws -> String {
  do {
    try body()
  } catch let failure as Failure {
    #expect(failure.status == .inputOutput && failure.isShared)
    return failure.message
  }
  Issue.record("nothing was thrown")
  return ""
}

private func text(_ path: String) throws -> String {
  try String(contentsOfFile: path, encoding: .utf8)
}

private func names(_ path: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: path).sorted()
}

@Suite(.serialized) struct ReportsRunDirectoryTests {
  @Test func itIsMadeWithAllAboveIt() throws {
    try withDirectory { base, ranks in
      let path = base + "/a/b/run"
      let directory = try RunDirectory(path, overwrite: false, over: ranks)
      #expect(directory.path == path)
      #expect(try names(path).isEmpty)
      try ranks.barrier()
      try directory.write("run.json", "{}\n", over: ranks)
      #expect(try text(path + "/run.json") == "{}\n")
      #expect(try names(path) == ["run.json"])
    }
  }

  @Test func anEmptyOneIsTakenAndAFullOneIsRefused() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      try directory.write("run.json", "{}", over: ranks)
      let refusal = try message { _ = try RunDirectory(base, overwrite: false, over: ranks) }
      #expect(refusal.contains("\(base) is not empty (run.json)"))
      #expect(refusal.contains("output.overwrite = true"))
      #expect(try text(base + "/run.json") == "{}")
    }
  }

  @Test func overwritingTakesAwayTheFormerRunAndNothingElse() throws {
    try withDirectory { base, ranks in
      let former = try RunDirectory(base, overwrite: false, over: ranks)
      for file in ["run.json", "iterations.jsonl", "model.h5", "notes.txt"] {
        try former.write(file, "old", over: ranks)
      }
      _ = try RunDirectory(base, overwrite: true, over: ranks)
      #expect(try names(base) == ["notes.txt"])
    }
  }

  @Test func aFileInTheWayIsNamed() throws {
    try withDirectory { base, ranks in
      try RunDirectory(base, overwrite: false, over: ranks).write("file", "", over: ranks)
      for path in [base + "/file", base + "/file/run"] {
        let refusal = try message { _ = try RunDirectory(path, overwrite: true, over: ranks) }
        #expect(refusal.contains(path) && refusal.contains("Not a directory"))
        #expect(refusal.contains("output.directory"))
      }
    }
  }

  @Test func wholeFilesAreReplacedAtOnce() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      try directory.write("run.json", "first", over: ranks)
      // The disk is full for the next one: /dev/full takes no byte.
      if ranks.isRoot {
        try FileManager.default.createSymbolicLink(
          atPath: base + "/run.json.part", withDestinationPath: "/dev/full")
      }
      try ranks.barrier()
      let refusal = try message { try directory.write("run.json", "second", over: ranks) }
      #expect(refusal.contains("run.json.part can't be written: No space left on device."))
      #expect(try names(base) == ["run.json"])
      #expect(try text(base + "/run.json") == "first")
      try ranks.barrier()
      try directory.write("run.json", "third", over: ranks)
      #expect(try text(base + "/run.json") == "third")
    }
  }

  @Test func linesAreThereAtOnce() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      let log = try directory.log("iterations.jsonl", over: ranks)
      for i in 1...3 {
        try log.append("line \(i)", over: ranks)
        #expect(try text(base + "/iterations.jsonl") == (1...i).map { "line \($0)\n" }.joined())
        try ranks.barrier()
      }
    }
  }

  @Test func aFullDiskEndsALog() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      if ranks.isRoot {
        try FileManager.default.createSymbolicLink(
          atPath: base + "/iterations.jsonl", withDestinationPath: "/dev/full")
      }
      let log = try directory.log("iterations.jsonl", over: ranks)
      let refusal = try message { try log.append("line 1", over: ranks) }
      #expect(refusal.contains("iterations.jsonl can't be written: No space left on device."))
    }
  }

  @Test func aDirectoryThatIsGoneIsAFailure() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base + "/run", overwrite: false, over: ranks)
      if ranks.isRoot { try FileManager.default.removeItem(atPath: base + "/run") }
      let refusal = try message { try directory.write("run.json", "{}", over: ranks) }
      #expect(refusal.contains("No such file or directory"))
      let refused = try message { _ = try directory.log("iterations.jsonl", over: ranks) }
      #expect(refused.contains("iterations.jsonl can't be made"))
    }
  }
}
