import Basics
import MPI

/// One thing that `verify` makes sure of. Every check is in the list `Check.all`.
package struct Check: Sendable {
  /// What its line calls it.
  package let name: String
  /// What to do where it fails: a sentence or two.
  let advice: String
  /// Whether it tells of files and where they lie, not of the machine and its libraries.
  var isOfFiles = false
  /// Finds out. Collective: whatever a rank finds, it goes through the same communication as all others.
  ///
  /// - Throws: a shared `Failure`, which fails the check; anything else ends the job.
  let body: @Sendable (_ site: Site, _ ranks: borrowing Communicator) throws -> Finding
}

/// What a check comes to on one rank.
package enum Finding: Sendable {
  /// All is well here. Rank 0's words are shown.
  case sound(String)
  /// What is wrong here.
  case fault(String)
  /// Why there is nothing to look at; the same on every rank.
  case skipped(String)

  /// The first fault, or all is well.
  init(_ fault: String?, else detail: String) { self = fault.map { .fault($0) } ?? .sound(detail) }
}

/// Keeps the first of the faults that are found one after the other.
struct Faults {
  private(set) var first: String?

  /// Notes what is wrong unless `isSound`.
  mutating func expect(_ isSound: Bool, _ text: @autoclosure () -> String) {
    if !isSound && first == nil { first = text() }
  }
}

/// What is wrong where `body`, local work, throws; nil where it does not.
func faultOf(_ body: () throws -> Void) -> String? {
  do { try body() } catch { return "\(error)" }
  return nil
}

/// What a check comes to on all ranks together.
package struct Verdict: Sendable, Equatable {
  package enum Outcome: String, Sendable {
    case passed = "PASSED"
    case failed = "FAILED"
    case skipped = "SKIPPED"
  }

  package let name: String
  package let outcome: Outcome
  /// What was measured, what is wrong and what to do, or why nothing was looked at.
  package let text: String
  /// As of its check.
  package let isOfFiles: Bool

  package init(_ name: String, _ outcome: Outcome, _ text: String, isOfFiles: Bool = false) {
    self.name = name
    self.outcome = outcome
    self.text = text
    self.isOfFiles = isOfFiles
  }

  /// Its line.
  package var line: String { "\(outcome.rawValue) \(name): \(text)" }
}

extension Check {
  /// Finds out and agrees: the check fails where any rank has found a fault. Collective.
  package func verdict(at site: Site, over ranks: borrowing Communicator) throws -> Verdict {
    let finding: Finding
    do {
      finding = try body(site, ranks)
    } catch let failure as Failure where failure.isShared {
      return failed("\(failure.message)")
    }
    let own: String
    switch finding {
    case .skipped(let reason): return Verdict(name, .skipped, reason, isOfFiles: isOfFiles)
    case .sound: own = ""
    case .fault(let text): own = text.isEmpty ? "something is wrong" : text
    }
    let faults = try ranks.gather(own)
    if let rank = faults.firstIndex(where: { !$0.isEmpty }) {
      let others = faults.indices.filter { $0 > rank && !faults[$0].isEmpty }
      return failed(
        "rank \(rank) on \(site.hosts[rank]): \(faults[rank])"
          + (others.isEmpty ? "" : " (and \(site.list(others)))"))
    }
    guard case .sound(let detail) = finding else { return failed(own) }
    return Verdict(name, .passed, detail, isOfFiles: isOfFiles)
  }

  private func failed(_ fault: String) -> Verdict {
    Verdict(name, .failed, fault + (fault.hasSuffix(".") ? " " : ". ") + advice, isOfFiles: isOfFiles)
  }
}

extension [Verdict] {
  /// The last line, and what the process ends with.
  package var summary: (line: String, status: ExitStatus) {
    let failed = filter { $0.outcome == .failed }
    let skipped = count { $0.outcome == .skipped }
    let rest = skipped > 0 ? ", \(skipped) skipped" : ""
    guard !failed.isEmpty else { return ("all \(counted(count - skipped, "check")) passed\(rest)", .done) }
    return (
      "\(failed.count) of \(counted(count - skipped, "check")) failed\(rest)",
      failed.allSatisfy(\.isOfFiles) ? .inputOutput : .numericalFailure
    )
  }
}
