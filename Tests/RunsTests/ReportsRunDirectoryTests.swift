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
  try FileManager.default.contentsOfDirectory(atPath: path).filter { $0 != DirectoryLock.name }.sorted()
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
      let next = try RunDirectory(base, overwrite: true, over: ranks)
      // Not before the new run has something to write.
      #expect(try names(base) == ["iterations.jsonl", "model.h5", "notes.txt", "run.json"])
      try ranks.barrier()
      try next.removeFormerRun(over: ranks)
      #expect(try names(base) == ["notes.txt"])
    }
  }

  /// A training set that lies where the model is to go, under any name.
  @Test(arguments: ["model.h5", "alias.h5"])
  func anInputIsNotReplaced(input: String) throws {
    try withDirectory { base, ranks in
      if ranks.isRoot {
        try "mine".write(toFile: base + "/model.h5", atomically: true, encoding: .utf8)
        try FileManager.default.linkItem(atPath: base + "/model.h5", toPath: base + "/alias.h5")
      }
      try ranks.barrier()
      let refusal = try message {
        _ = try RunDirectory(base, overwrite: true, inputs: [base + "/" + input], over: ranks)
      }
      #expect(
        refusal
          == "the results would replace \(base)/model.h5, which is \(base)/\(input) and is read. "
          + "Choose another output.directory.")
      #expect(try text(base + "/model.h5") == "mine")
    }
  }

  @Test func aDiskWithoutRoomIsFoundOutBefore() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      try directory.checkRoom(for: 1, over: ranks)
      let refusal = try message { try directory.checkRoom(for: 1 << 60, over: ranks) }
      #expect(refusal.hasPrefix("the disk of \(base) has ") && refusal.contains("output.directory"))
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
      let refusal = try message {
        try withFullDisk(after: 3) { try directory.write("run.json", "second", over: ranks) }
      }
      #expect(refusal.contains("run.json can't be written: File too large."))
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
        log.append("line \(i)")
        #expect(try text(base + "/iterations.jsonl") == (1...i).map { "line \($0)\n" }.joined())
        try ranks.barrier()
      }
    }
  }

  /// Of a line that does not fit nothing is left; it is there as soon as there is room, and what is missing at the end
  /// is said.
  @Test func aLineWaitsForTheDisk() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      var warnings: [String] = []
      let log = try directory.log("iterations.jsonl", over: ranks) { warnings.append($0) }
      let isRoot = ranks.isRoot
      log.append("line 1")
      try withFullDisk(after: 10) {
        log.append("line 2")
        log.append("line 3")
        if isRoot { #expect(try text(base + "/iterations.jsonl") == "line 1\n") }
        let refusal = try message { try log.finish(over: ranks) }
        #expect(
          refusal.hasSuffix("File too large. The last 2 lines of iterations.jsonl could not be kept."),
          "\(refusal)")
      }
      #expect(warnings.count == (isRoot ? 1 : 0))
      if isRoot { #expect(warnings[0].contains("iterations.jsonl can't be written: File too large.")) }
      log.append("line 4")
      try log.finish(over: ranks)
      #expect(try text(base + "/iterations.jsonl") == (1...4).map { "line \($0)\n" }.joined())
      try ranks.barrier()
    }
  }

  /// Removed, renamed, or the log alone: all lines are there again, in a directory that is this job's.
  @Test(arguments: ["remove", "rename", "log"]) func whatIsGoneIsMadeAgain(what: String) throws {
    try withDirectory { base, ranks in
      let path = base + "/a/run"
      let directory = try RunDirectory(path, overwrite: false, over: ranks)
      var warnings: [String] = []
      let log = try directory.log("iterations.jsonl", over: ranks) { warnings.append($0) }
      let isRoot = ranks.isRoot
      for i in 1...3 { log.append("line \(i)") }
      try ranks.barrier()
      if isRoot {
        switch what {
        case "remove": try FileManager.default.removeItem(atPath: base + "/a")
        case "rename": try FileManager.default.moveItem(atPath: base + "/a", toPath: base + "/b")
        default: try FileManager.default.removeItem(atPath: path + "/iterations.jsonl")
        }
      }
      log.append("line 4")
      if isRoot { #expect(try text(path + "/iterations.jsonl") == (1...4).map { "line \($0)\n" }.joined()) }
      log.append("line 5")
      try log.finish(over: ranks)
      try ranks.barrier()
      #expect(try text(path + "/iterations.jsonl") == (1...5).map { "line \($0)\n" }.joined())
      if what == "rename" {
        #expect(try text(base + "/b/run/iterations.jsonl") == "line 1\nline 2\nline 3\n")
      }
      #expect(warnings.count == (isRoot && what != "log" ? 1 : 0))
      // A second job is still kept away.
      if isRoot {
        #expect(FileManager.default.fileExists(atPath: path + "/" + DirectoryLock.name))
      }
      try ranks.barrier()
    }
  }

  @Test func aLinkInTheLogsPlaceIsNotFollowed() throws {
    try withDirectory { base, ranks in
      let directory = try RunDirectory(base, overwrite: false, over: ranks)
      if ranks.isRoot {
        try "mine".write(toFile: base + "/victim", atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
          atPath: base + "/iterations.jsonl", withDestinationPath: base + "/victim")
      }
      try ranks.barrier()
      let refusal = try message { _ = try directory.log("iterations.jsonl", over: ranks) }
      #expect(refusal.contains("iterations.jsonl can't be made: File exists."))
      #expect(try text(base + "/victim") == "mine")
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
