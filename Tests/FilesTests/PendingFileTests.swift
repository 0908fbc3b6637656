import Basics
import Files
import Foundation
import MPI
import TestSupport
import Testing

/// Calls `body` on all ranks with one fresh directory, in which there is a file "out" of the text "old".
private func withDirectory(_ body: (String, borrowing Communicator) throws -> Void) throws {
  try TestWorld.with { ranks in
    let own = try TemporaryDirectory()
    let path = try ranks.broadcast(own.url.path)
    if ranks.isRoot { try "old".write(toFile: path + "/out", atomically: true, encoding: .utf8) }
    try ranks.barrier()
    try body(path, ranks)
    try ranks.barrier()
    _ = own.url
  }
}

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

private func names(_ path: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: path).sorted()
}

/// What `body` throws, which must be a failure to write that all ranks share.
private func refusal(_ body: () throws -> Void) throws -> String {
  let failure = try #require(throws: Failure.self, performing: body)
  #expect(failure.status == .inputOutput && failure.isShared)
  return failure.message
}

@Suite(.serialized) struct PendingFileTests {
  @Test func aWholeTextReplacesTheOldOne() throws {
    try withDirectory { directory, ranks in
      try PendingFile(directory + "/out").write("new", over: ranks)
      #expect(try text(directory + "/out") == "new")
      #expect(try names(directory) == ["out"])
    }
  }

  @Test func nothingIsReplacedWithoutForce() throws {
    try withDirectory { directory, ranks in
      let path = directory + "/out"
      let said = try refusal { _ = try PendingFile(path, force: false, over: ranks) }
      #expect(said == "\(path) exists. Name another file, or replace it with --force.")
      try PendingFile(path, force: true, over: ranks).write("new", over: ranks)
      try PendingFile(directory + "/other", force: false, over: ranks).write("other", over: ranks)
      #expect(try names(directory) == ["other", "out"])
      #expect(try text(path) == "new")
    }
  }

  @Test func aFullDiskLeavesTheOldText() throws {
    try withDirectory { directory, ranks in
      let new = String(repeating: "new ", count: 10_000)
      let said = try refusal {
        try withFullDisk(after: 30_000) { try PendingFile(directory + "/out").write(new, over: ranks) }
      }
      #expect(said == "\(directory)/out can't be written: File too large.")
      #expect(try names(directory) == ["out"])
      #expect(try text(directory + "/out") == "old")
      try ranks.barrier()
      try PendingFile(directory + "/out").write(new, over: ranks)
      #expect(try text(directory + "/out") == new)
    }
  }

  @Test func aNameThatCannotBeTakenLeavesNothing() throws {
    try withDirectory { directory, ranks in
      let inTheWay = directory + "/directory/full"
      if ranks.isRoot {
        try FileManager.default.createDirectory(atPath: inTheWay, withIntermediateDirectories: true)
      }
      try ranks.barrier()
      let said = try refusal { try PendingFile(directory + "/directory").write("new", over: ranks) }
      #expect(said == "\(directory)/directory can't be replaced: Is a directory.")
      #expect(try names(directory) == ["directory", "out"])
    }
  }

  @Test func aDirectoryThatIsNotThereIsSaid() throws {
    try withDirectory { directory, ranks in
      let file = PendingFile(directory + "/none/out")
      for said in [
        try refusal { try file.write("new", over: ranks) },
        try refusal { try file.writeInOrder([1, 2, 3], limit: 2, over: ranks) },
      ] {
        #expect(said == "\(directory)/none/out can't be made: No such file or directory.")
      }
    }
  }

  /// The file is written, but its directory goes before it gets its name.
  @Test func aDirectoryThatVanishesIsSaid() throws {
    try withDirectory { directory, ranks in
      let vanishing = directory + "/vanishing"
      let isRoot = ranks.isRoot
      let said = try refusal {
        try ranks.agree {
          guard isRoot else { return }
          try FileManager.default.createDirectory(atPath: vanishing, withIntermediateDirectories: false)
          try PendingFile(vanishing + "/out").write { file in
            try file.write("new")
            try FileManager.default.removeItem(atPath: vanishing)
          }
        }
      }
      #expect(said == "\(vanishing)/out can't be replaced: No such file or directory.")
      #expect(try names(directory) == ["out"])
    }
  }

  @Test func whatTheWriterThrowsComesThrough() throws {
    try withDirectory { directory, ranks in
      struct Mine: Error {}
      #expect(throws: Mine.self) {
        try PendingFile(directory + "/out-\(ranks.rank)").write { file in
          try file.write("half")
          throw Mine()
        }
      }
      try ranks.barrier()
      #expect(try names(directory) == ["out"])
    }
  }

  // MARK: What is there

  /// Whatever names others have laid out: links to a victim under the old temporary names, and the name itself.
  @Test func noLinkIsFollowed() throws {
    try withDirectory { directory, ranks in
      let victim = directory + "/victim"
      if ranks.isRoot {
        try "mine".write(toFile: victim, atomically: true, encoding: .utf8)
        for name in ["out.part", "out.partial", "link"] {
          try FileManager.default.createSymbolicLink(
            atPath: directory + "/" + name, withDestinationPath: victim)
        }
      }
      try ranks.barrier()
      try PendingFile(directory + "/out").write("new", over: ranks)
      try PendingFile(directory + "/link").write("new", over: ranks)
      #expect(try text(directory + "/out") == "new" && text(directory + "/link") == "new")
      #expect(try text(victim) == "mine")
      if ranks.isRoot {
        #expect(throws: Failure.self) { try OutputFile(new: directory + "/out.part") }
        #expect(throws: Failure.self) { try OutputFile(existing: directory + "/out.part", calling: "x") }
        #expect(throws: Failure.self) { try OutputFile(new: directory + "/out") }
      }
      try ranks.barrier()
      #expect(try text(victim) == "mine")
    }
  }

  /// An input by another spelling, by a hard link and by a symbolic one.
  @Test func anInputIsNeverReplaced() throws {
    try withDirectory { directory, ranks in
      let input = directory + "/out"
      if ranks.isRoot {
        try FileManager.default.linkItem(atPath: input, toPath: directory + "/hard")
        try FileManager.default.createSymbolicLink(atPath: directory + "/soft", withDestinationPath: input)
        try FileManager.default.createSymbolicLink(
          atPath: directory + "/here", withDestinationPath: directory)
      }
      try ranks.barrier()
      for name in ["out", "hard", "soft", "here/out", "../\(lastComponent(of: directory))/out"] {
        let path = directory + "/" + name
        for force in [false, true] {
          let said = try refusal {
            _ = try PendingFile(path, force: force, keeping: ["/no/such/file", input], over: ranks)
          }
          #expect(said.hasPrefix("\(path) is ") && said.contains("read"), "\(said)")
        }
        #expect(
          try refusal { try PendingFile(path, keeping: KeptFiles([input])).write("new", over: ranks) } != "")
      }
      #expect(try text(input) == "old")
      try PendingFile(directory + "/other", force: true, keeping: [input], over: ranks).write(
        "new", over: ranks)
    }
  }

  @Test(arguments: ["/dev/null", "directory", "device"])
  func whatIsNoFileIsNotReplaced(name: String) throws {
    try withDirectory { directory, ranks in
      if ranks.isRoot {
        try FileManager.default.createDirectory(
          atPath: directory + "/directory", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
          atPath: directory + "/device", withDestinationPath: "/dev/null")
      }
      try ranks.barrier()
      let path = name.hasPrefix("/") ? name : directory + "/" + name
      let said = try refusal { _ = try PendingFile(path, force: true, over: ranks) }
      #expect(said == "\(path) is not a file but a directory or a device. Name a file.")
    }
  }

  // MARK: All ranks

  @Test func textsOfAllRanksComeInTheirOrder() throws {
    try withDirectory { directory, ranks in
      func text(_ rank: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(65 + rank % 26), count: rank == 1 ? 0 : 5 + rank)
      }
      // 4 does not divide the lengths.
      try PendingFile(directory + "/out").writeInOrder(text(ranks.rank), limit: 4, over: ranks)
      let all = try bytes(of: directory + "/out")
      #expect(all == (0..<ranks.size).flatMap(text))
      #expect(try names(directory) == ["out"])
    }
  }

  @Test func aFullDiskLeavesTheOldTextOfAllRanks() throws {
    try withDirectory { directory, ranks in
      let own = [UInt8](repeating: 65, count: 10_000)
      let said = try refusal {
        try withFullDisk(after: 9_000) {
          try PendingFile(directory + "/out").writeInOrder(own, limit: 1000, over: ranks)
        }
      }
      #expect(said == "\(directory)/out can't be written: File too large.")
      #expect(try names(directory) == ["out"])
      #expect(try text(directory + "/out") == "old")
    }
  }

  /// Every rank writes its own byte of one file. Local.
  private func writeOwnByte(_ file: OutputFile, _ rank: Int) throws {
    try [UInt8(65 + rank)].withUnsafeBytes { try file.write($0, at: rank) }
  }

  @Test func ranksWriteOneFileTogether() throws {
    try withDirectory { directory, ranks in
      let file = PendingFile(directory + "/out")
      let isLast = ranks.rank == ranks.size - 1
      let said = try refusal {
        try file.writeTogether(over: ranks) { file in
          try ranks.agree { try writeOwnByte(file, ranks.rank) }
          try ranks.agree { if isLast { throw Failure(.inputOutput, "The last rank fails.") } }
        }
      }
      #expect(said == "The last rank fails.")
      try ranks.barrier()
      #expect(try names(directory) == ["out"])
      #expect(try text(directory + "/out") == "old")
      try ranks.barrier()
      try file.writeTogether(over: ranks) { file in try ranks.agree { try writeOwnByte(file, ranks.rank) } }
      #expect(try names(directory) == ["out"])
      #expect(try bytes(of: directory + "/out") == (0..<ranks.size).map { UInt8(65 + $0) })
    }
  }
}
