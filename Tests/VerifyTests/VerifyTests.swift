import Basics
import Foundation
import LinearAlgebra
import MPI
import Networks
import Reports
import Studies
import TestSupport
import Testing

/// Each kind of check passes with the program's own parts, and fails with a broken one.
@Suite(.serialized) struct VerifyTests {
  /// Makes one check in a directory of its own. Collective.
  private func verdict(_ check: Check, parent: String? = nil) throws -> Verdict {
    try verdicts([.directory(), check], parent: parent).last ?? Verdict("", .failed, "no verdict")
  }

  private func verdicts(_ checks: [Check], parent: String? = nil) throws -> [Verdict] {
    try TestWorld.with { ranks in
      let directory = ranks.isRoot ? try TemporaryDirectory() : nil
      let path = try ranks.broadcast(parent ?? directory?.path("") ?? "")
      let site = try Site(path, isQuick: true, over: ranks)
      let verdicts = try Studies.verify(checks, at: site, over: ranks)
      if let directory {
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path(""))
        #expect(left.isEmpty, "what is left: \(left)")
      }
      return verdicts
    }
  }

  private func expectFailed(
    _ check: Check, _ words: String..., isOfFiles: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let verdict = try verdict(check)
    #expect(
      verdict.outcome == .failed && verdict.isOfFiles == isOfFiles, "\(verdict)",
      sourceLocation: sourceLocation)
    for word in words {
      #expect(verdict.text.contains(word), "\(word) in \(verdict)", sourceLocation: sourceLocation)
    }
  }

  private static let last = TestWorld.with { $0.size - 1 }
  private static let isLast = TestWorld.with { $0.rank == $0.size - 1 }
  private static let size = TestWorld.with { $0.size }

  // MARK: All is well

  /// The kill needs the program itself: the end-to-end tests have it.
  @Test func ourOwnPartsPass() throws {
    let checks = Check.all.filter { $0.name != "kill and resume" }
    #expect(checks.count == Check.all.count - 1)
    for verdict in try verdicts(checks) {
      let isAlone = ["locks", "reduction speed"].contains(verdict.name) && Self.size == 1
      #expect(verdict.outcome == (isAlone ? .skipped : .passed), "\(verdict.line)")
    }
  }

  // MARK: A broken part

  @Test func anUpdateThatIsNotTheBest() throws {
    // A part in a thousand off, of one activation, on one rank.
    let isLast = Self.isLast
    try expectFailed(
      .activations { h, z, a, beta, gamma in
        h.minimise(z, m: Tile(z), a: a, beta: beta, gamma: gamma)
        if isLast && h == .silu { for i in 0..<z.rows { z.column(0)[i] += 0.02 * abs(z.column(0)[i]) } }
      }, "silu", "rank \(Self.last) on ")
    // The other piece of ReLU.
    try expectFailed(
      .activations { h, z, a, beta, gamma in
        if h != .relu { return h.minimise(z, m: Tile(z), a: a, beta: beta, gamma: gamma) }
        for i in 0..<z.rows {
          z.column(0)[i] = max((gamma * a.column(0)[i] + beta * z.column(0)[i]) / (gamma + beta), 0)
        }
      }, "relu")
  }

  @Test(arguments: Loss.allCases) func aLossWithAWrongUpdate(loss: Loss) throws {
    try expectFailed(
      .losses { other, z, m, y, lambda, beta in
        var scratch = Matrix<Double>(rows: 4 * z.rows, columns: 1)
        // The multiplier's sign is wrong.
        var wrong = Matrix(copying: lambda)
        if other == loss { for i in 0..<z.rows { wrong[i, 0] = -wrong[i, 0] } }
        other.minimise(z, m: m, y: y, lambda: wrong.all, beta: beta, scratch: scratch.mutableElements)
      }, "the \(loss) loss")
  }

  @Test func aProductWithAFlippedBit() throws {
    let isLast = Self.isLast
    try expectFailed(
      .products { C, A, B in
        multiply(C, A, B, transposeB: .transposed)
        if isLast && C.rows == 129 { C.column(16)[128] = Float(bitPattern: C.column(16)[128].bitPattern ^ 1) }
      }, "entry (128, 16)", "rank \(Self.last) on ", "OPENBLAS_CORETYPE")
  }

  @Test func aSolveThatIsOff() throws {
    try expectFailed(
      .solves { X, G in
        var factor = Cholesky<Double>(size: G.rows)
        try factor.factor(G, ridge: 1e-6)
        factor.solveFromRight(X)
      }, "should be")
    try expectFailed(.solves { _, _ in throw Failure(.numericalFailure, "no factor at row 3.") }, "at row 3")
  }

  @Test func sumsThatLoseSomething() throws {
    // As if floating-point numbers had been added: a small addend is lost.
    try expectFailed(
      .exactSums { sum, ranks in
        if ranks.isRoot { sum.add(sum[0] * 0x1p-44, to: 0) }
        try sum.reduce(over: ranks)
      }, "the sum over ranks")
    let isLast = Self.isLast
    try expectFailed(
      .longSums { x, ranks in
        try ranks.sum(x)
        if isLast && x.count > 1_000_000 { x[1_000_000] ^= 1 << 40 }
      }, "number 1000000", "rank \(Self.last) on ")
  }

  @Test(arguments: ["exchange", "broadcast", "gather"]) func aMessageThatArrivesWrong(call: String) throws {
    let isLast = Self.isLast
    try expectFailed(
      .messages { name, x in if isLast && name == call && x.count > 100_000 { x[70_000] += 1 } },
      call, "number 70000", "rank \(Self.last) on ")
    try expectFailed(
      .messages { name, x in if isLast && name == call && x.count > 1 { x.removeLast() } }, call)
  }

  @Test func weightsWithAFlippedBit() throws {
    let last = Self.last
    for sharing in Sharing.allCases {
      let all = Check.sameBits { rank, how, digest in
        rank == last && how == sharing ? String(digest.dropLast()) + "x" : digest
      }
      try expectFailed(all[0], "rank \(last) on ", "the weights trained ")
    }
  }

  @Test func hostsThatDiffer() throws {
    let isLast = Self.isLast
    @Sendable func traits(_ name: String, _ value: String) -> Traits {
      ownTraits().map { isLast && $0.name == name ? (name, value) : $0 }
    }
    if Self.size > 2 {
      try expectFailed(
        .hosts(traits: { traits("BLAS kernel", "Katmai") }), "rank \(Self.last) on ", "Katmai", "CORETYPE")
      try expectFailed(.hosts(clock: { timeOfDay() - (isLast ? 3_600 : 0) }), "1 h 00 min", "behind")
    }
    try expectFailed(.hosts(traits: { traits("byte order", "big endian") }), "little endian")
    try expectFailed(.hosts(traits: { traits("decimal point", ",") }), "decimal point")
  }

  @Test func aDirectoryThatCannotBeWritten() throws {
    let found = try verdicts(
      [.directory(), .room(), .sharedFile(), .locks(), .checkpoints()], parent: "/proc")
    #expect(
      found[0].outcome == .failed && found[0].text.contains("rank 0 on ")
        && found[0].text.contains("--directory"))
    #expect(found.dropFirst().allSatisfy { $0.outcome == .skipped }, "\(found)")
    #expect(found.summary.line == "1 of 1 check failed, 4 skipped" && found.summary.status == .inputOutput)
    let verdict = try verdict(.directory(), parent: "/no/such/place")
    #expect(verdict.text.contains("No such file"), "\(verdict)")
  }

  @Test func aFullFileSystem() throws {
    try expectFailed(.room(needed: .max), "free", isOfFiles: true)
  }

  /// One byte flipped.
  @Sendable private static func flip(_ path: String) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    try file.seek(toOffset: 40_000)
    let byte = try file.read(upToCount: 1)?.first ?? 0
    try file.seek(toOffset: 40_000)
    try file.write(contentsOf: [byte ^ 4])
    try file.close()
  }

  @Test func filesThatChange() throws {
    try expectFailed(.sharedFile(Self.flip), "damaged", isOfFiles: true)
    try expectFailed(
      .sharedFile { try FileManager.default.removeItem(atPath: $0) }, "shared.h5", isOfFiles: true)
    try expectFailed(.checkpoints { try Self.flip($0) }, "damaged", isOfFiles: true)
  }

  @Test func locksThatAreGivenTwice() throws {
    if Self.size > 1 {
      try expectFailed(.locks { _, _ in NSObject() }, "rank 1 on ", "given twice", isOfFiles: true)
    }
  }

  @Test(arguments: ["/bin/false", "/bin/true", "/no/such/program"]) func aProgramThatDoesNotResume(
    path: String
  ) throws {
    try expectFailed(
      .killAndResume(program: path), path == "/bin/true" ? "before it could be killed" : path, isOfFiles: true
    )
  }

  @Test func hostsThatAreSlow() throws {
    // Where the test's ranks share cores, nothing is judged.
    let isCrowded = try TestWorld.with { try !Launch(threads: 1, over: $0).warnings.isEmpty }
    let slow = try verdict(
      .productSpeed { ranks in
        Spread((0..<max(ranks.size, 3)).map { $0 == 0 ? 3 : 100 })
      })
    #expect(slow.outcome == (isCrowded ? .passed : .failed), "\(slow)")
    #expect(isCrowded ? slow.text.contains("not judged") : slow.text.contains("rank 0 on "))
    guard Self.size > 1 else { return }
    let network = try verdict(.reductionSpeed { $0 + 1 })
    #expect(network.outcome == (isCrowded ? .passed : .failed), "\(network)")
  }

  // MARK: The end

  @Test func theLastLine() {
    let passed = Verdict("a", .passed, "fine")
    let skipped = Verdict("b", .skipped, "no need")
    let file = Verdict("c", .failed, "full", isOfFiles: true)
    let host = Verdict("d", .failed, "wrong")
    #expect([passed].summary.line == "all 1 check passed" && [passed].summary.status == .done)
    #expect([passed, passed, skipped].summary.line == "all 2 checks passed, 1 skipped")
    #expect(
      [passed, file].summary.line == "1 of 2 checks failed" && [passed, file].summary.status == .inputOutput)
    #expect([file, host].summary.status == .numericalFailure && host.line == "FAILED d: wrong")
  }
}
