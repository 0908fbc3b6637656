import Foundation
import Reports
import Testing

/// What a console writes to a pipe, warnings included.
private func output(
  isTerminal: Bool, isRoot: Bool = true, isQuiet: Bool = false, _ body: (Console) -> Void
) throws -> String {
  let pipe = Pipe()
  let file = pipe.fileHandleForWriting.fileDescriptor
  body(Console(isRoot: isRoot, isQuiet: isQuiet, isTerminal: isTerminal, output: file, errors: file))
  try pipe.fileHandleForWriting.close()
  return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
}

@Suite struct ReportsConsoleTests {
  @Test func aFileGetsLinesOnly() throws {
    let text = try output(isTerminal: false) {
      $0.print("one")
      $0.progress("half way", 0.5)
      $0.print(["two", ""])
      $0.print()
    }
    #expect(text == "one\ntwo\n\n\n")
  }

  @Test func namesCantMoveTheCursor() throws {
    let text = try output(isTerminal: true) {
      $0.print("a\u{1B}[2Jb")
      $0.warn("c\rd")
      $0.progress("e\u{1B}[31m\n", "f")
    }
    let expected =
      "a\\u001b[2Jb\nadmm-mpi: warning: c\\u000dd\n\re\\u001b[31m\\u000a: f\u{1B}[K\r\u{1B}[K"
    #expect(text == expected)
  }

  @Test func aTerminalShowsProgressUntilTheNextLine() throws {
    let text = try output(isTerminal: true) {
      $0.progress("half way", 0.5)
      $0.print("done")
      $0.print("bye")
    }
    #expect(text == "\rhalf way: 50 %\u{1B}[K\r\u{1B}[Kdone\nbye\n")
  }

  @Test func theProgressLineGoesWithTheConsole() throws {
    let text = try output(isTerminal: true) { $0.progress("half way") }
    #expect(text == "\rhalf way …\u{1B}[K\r\u{1B}[K")
  }

  @Test func aLongProgressLineLosesItsMiddle() throws {
    let path = "reading /" + String(repeating: "x", count: 500) + "/a.csv"
    let text = try output(isTerminal: true) { $0.progress(path, 2) }
    let line = text.dropFirst().prefix { $0 != "\u{1B}" }
    #expect(line.count == 79)
    #expect(line.hasPrefix("…x") && line.hasSuffix("x/a.csv: 100 %"))
  }

  @Test func statesOfOneActivityAreRareAndANewOneIsShownAtOnce() throws {
    var asked = 0
    let text = try output(isTerminal: true) { console in
      let state = {
        asked += 1
        return "state \(asked)"
      }
      for _ in 0..<1000 { console.progress("one", state()) }
      console.progress("two")
    }
    // A thousand calls take microseconds, not the hundred seconds that would show them all.
    #expect(asked < 1000)
    #expect(text.hasPrefix("\rone: state 1\u{1B}[K"))
    #expect(text.contains("\rtwo …\u{1B}[K"))
  }

  @Test func aWarningIsALineThatQuietLets() throws {
    let text = try output(isTerminal: true, isQuiet: true) {
      $0.progress("half way", 0.5)
      $0.print("done")
      $0.warn("odd")
      #expect($0.warnings == ["odd"])
    }
    #expect(text == "admm-mpi: warning: odd\n")
  }

  /// Whoever reads the output has left: it is said once, where somebody may still hear it.
  @Test func aBrokenPipeIsSaidOnce() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    var warnings: [String] = []
    let broken = pipe.fileHandleForWriting.fileDescriptor
    let errors = Pipe()
    do {
      let console = Console(
        isRoot: true, isQuiet: false, isTerminal: false, output: broken,
        errors: errors.fileHandleForWriting.fileDescriptor)
      for i in 0..<5 { console.print("line \(i)") }
      console.warn("odd")
      warnings = console.warnings
    }
    try errors.fileHandleForWriting.close()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(warnings.count == 2 && warnings[0].hasPrefix("standard output can't be written: Broken pipe."))
    #expect(text == warnings.map { "admm-mpi: warning: \($0)\n" }.joined())
  }

  @Test func otherRanksAreSilent() throws {
    let text = try output(isTerminal: true, isRoot: false) {
      $0.progress("half way", 0.5)
      $0.print("done")
      $0.warn("odd")
    }
    #expect(text.isEmpty)
  }
}
