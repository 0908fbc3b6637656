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
      #expect(said == "\(directory)/out.part can't be written: File too large.")
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
        #expect(said == "\(directory)/none/out.part can't be made: No such file or directory.")
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
          try PendingFile(vanishing + "/out").write { path in
            try "new".write(toFile: path, atomically: false, encoding: .utf8)
            try FileManager.default.removeItem(atPath: vanishing)
          }
        }
      }
      #expect(said == "\(vanishing)/out.part can't be written: No such file or directory.")
      #expect(try names(directory) == ["out"])
    }
  }

  @Test func whatTheWriterThrowsComesThrough() throws {
    try withDirectory { directory, ranks in
      struct Mine: Error {}
      #expect(throws: Mine.self) {
        try PendingFile(directory + "/out-\(ranks.rank)").write { path in
          try "half".write(toFile: path, atomically: false, encoding: .utf8)
          throw Mine()
        }
      }
      try ranks.barrier()
      #expect(try names(directory) == ["out"])
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
      #expect(said == "\(directory)/out.part can't be written: File too large.")
      #expect(try names(directory) == ["out"])
      #expect(try text(directory + "/out") == "old")
    }
  }

  /// Every rank writes its own byte of one file. Collective.
  private func writeOwnByte(_ path: String, over ranks: borrowing Communicator) throws {
    if ranks.isRoot { try Data(count: ranks.size).write(to: URL(filePath: path)) }
    try ranks.barrier()
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.seek(toOffset: UInt64(ranks.rank))
    try file.write(contentsOf: [UInt8(65 + ranks.rank)])
    try file.close()
  }

  @Test func ranksWriteOneFileTogether() throws {
    try withDirectory { directory, ranks in
      let file = PendingFile(directory + "/out")
      let isLast = ranks.rank == ranks.size - 1
      let said = try refusal {
        try file.writeTogether(over: ranks) { path in
          try writeOwnByte(path, over: ranks)
          try ranks.agree { if isLast { throw Failure(.inputOutput, "The last rank fails.") } }
        }
      }
      #expect(said == "The last rank fails.")
      try ranks.barrier()
      #expect(try names(directory) == ["out"])
      #expect(try text(directory + "/out") == "old")
      try ranks.barrier()
      try file.writeTogether(over: ranks) { try writeOwnByte($0, over: ranks) }
      #expect(try names(directory) == ["out"])
      #expect(try bytes(of: directory + "/out") == (0..<ranks.size).map { UInt8(65 + $0) })
    }
  }
}
